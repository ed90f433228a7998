import { emptyDocument, int32Value, int64Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { hintOf } from "./hint.ts";

/** `count`. */
export const count = defineCommand({
  name: "count",
  action: "find",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const filter = parameters.document("query") ?? emptyDocument;
    const limit = parameters.whole("limit", Number.MIN_SAFE_INTEGER);
    const skip = parameters.whole("skip", 0);
    const collation = parameters.document("collation");
    const hint = hintOf(parameters.get("hint"));
    parameters.ignore("fields");
    parameters.rejectUnknown();
    const engine = await context.engine();
    const n = await engine.count(
      { database: context.database, collection },
      { filter, skip, collation, hint, ...(limit === undefined ? {} : { limit: Math.abs(limit) }) },
      await context.read(engine),
    );
    return [["n", n > 2_147_483_647 ? int64Value(BigInt(n)) : int32Value(n)]];
  },
});
