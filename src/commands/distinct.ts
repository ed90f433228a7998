import { emptyDocument, getField, timestampValue, type Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { hintOf } from "./hint.ts";

/** `distinct`. */
export const distinct = defineCommand({
  name: "distinct",
  action: "find",
  onCollection: true,
  snapshotReads: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const key = parameters.requiredText("key");
    const filter = parameters.document("query") ?? emptyDocument;
    const collation = parameters.document("collation");
    const hint = hintOf(parameters.get("hint"));
    parameters.rejectUnknown();
    const engine = await context.engine();
    const read = await context.read(engine);
    const result = await engine.distinct(
      { database: context.database, collection },
      { key, filter, collation, hint },
      read,
    );
    const time = read.atClusterTime;
    return [
      ["values", getField(result, "values") as Value],
      ...(time === undefined ? [] : ([["atClusterTime", timestampValue(time.seconds, time.increment)]] as const)),
    ];
  },
});
