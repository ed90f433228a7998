import { bsonType, int32Value, objectValue, Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `startSession`: an id; sessions need no more here until they are used. */
export const startSession = defineCommand({
  name: "startSession",
  action: "any",
  run: async (parameters, { server }) => {
    parameters.rejectUnknown();
    const id = Buffer.from(server.ids.uuid().replaceAll("-", ""), "hex");
    return [
      ["id", objectValue([["id", new Value(bsonType.binData, Uint8Array.of(16, 0, 0, 0, 4, ...id))]])],
      ["timeoutMinutes", int32Value(30)],
    ];
  },
});
