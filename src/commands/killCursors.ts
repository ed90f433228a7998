import { arrayValue, bsonType, elementsOf, EngineError, int64Of, int64Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `killCursors`: closes cursors of the user. */
export const killCursors = defineCommand({
  name: "killCursors",
  action: "any",
  snapshotReads: true,
  run: async (parameters, context) => {
    const list = parameters.get("cursors");
    parameters.rejectUnknown();
    if (list?.type !== bsonType.array)
      throw new EngineError(14, "TypeMismatch", "BSON field 'killCursors.cursors' must be an array");
    const ids = elementsOf(list).map((value) => {
      if (value.type !== bsonType.long) throw new EngineError(14, "TypeMismatch", "a cursor id must be a long");
      return int64Of(value);
    });
    const killed = ids.filter((id) => context.cursors.kill(id, context.connection.user?.name ?? ""));
    const listed = (wanted: readonly bigint[]): ReturnType<typeof arrayValue> => arrayValue(wanted.map(int64Value));
    return [
      ["cursorsKilled", listed(killed)],
      ["cursorsNotFound", listed(ids.filter((id) => !killed.includes(id)))],
      ["cursorsAlive", listed([])],
      ["cursorsUnknown", listed([])],
    ];
  },
});
