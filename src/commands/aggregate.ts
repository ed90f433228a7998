import { EngineError, isNumberType, pipelineNamespaces } from "../engine/index.ts";
import { changeStreamOf, requireStreamRules } from "./change-stream-rules.ts";
import { cursorOptionsOf, firstBatch } from "./cursor-reply.ts";
import { databaseStagesOf } from "./database-stages.ts";
import { explained } from "./explain.ts";
import { hintOf } from "./hint.ts";
import { defineCommand } from "./define-command.ts";
import { notInTransaction } from "./transaction-fields.ts";
import { requireRights } from "./pipeline-rights.ts";

/** `aggregate`: a pipeline's first batch. */
export const aggregate = defineCommand({
  name: "aggregate",
  action: "find",
  onCollection: true,
  snapshotReads: true,
  takesWriteConcern: true,
  run: async (parameters, context) => {
    const collection = isNumberType(parameters.main.type) ? undefined : parameters.collection();
    const pipeline = parameters.requiredDocuments("pipeline");
    const variables = parameters.document("let");
    const cursorOptions = cursorOptionsOf(parameters);
    const explains = parameters.flag("explain");
    const collation = parameters.document("collation");
    const allowDiskUse = parameters.flag("allowDiskUse", true);
    const bypassDocumentValidation = parameters.flag("bypassDocumentValidation");
    const hint = hintOf(parameters.get("hint"));
    parameters.rejectUnknown();
    if (explains) return explained(parameters.body, "queryPlanner", context);
    if (cursorOptions === undefined)
      throw new EngineError(
        9,
        "FailedToParse",
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    const { batchSize } = cursorOptions;
    await requireRights(parameters.main, pipeline, context);
    const changeStream = changeStreamOf(pipeline);
    if (changeStream !== undefined) requireStreamRules(changeStream, parameters.body, parameters.main, context);
    if (context.readConcernLevel === "linearizable") await refuseWrites(context.database, pipeline);
    if (
      context.transaction !== undefined &&
      (await pipelineNamespaces(context.database, pipeline)).some(({ writes }) => writes)
    )
      throw notInTransaction("$out and $merge cannot be used in a transaction");
    const engine = await context.engine();
    const read = await context.read(engine);
    const databaseStages = databaseStagesOf(context);
    const write = { ...context.write, bypassDocumentValidation };
    const query = { pipeline, variables, hint, collation, databaseStages, write, allowDiskUse };
    const cursor = await engine.aggregate(context.database, collection, query, read);
    const namespace = `${context.database}.${collection ?? "$cmd.aggregate"}`;
    return firstBatch(
      cursor,
      {
        namespace,
        batchSize,
        singleBatch: false,
        neverIdle: false,
        awaitsData: changeStream !== undefined,
        atClusterTime: read.atClusterTime,
      },
      context,
    );
  },
});

/** Throws 72 for `$out` and `$merge`, which do not go with read concern linearizable (manual, "$out"). */
async function refuseWrites(database: string, pipeline: readonly Uint8Array[]): Promise<void> {
  if ((await pipelineNamespaces(database, pipeline)).some(({ writes }) => writes))
    throw new EngineError(
      72,
      "InvalidOptions",
      "$out and $merge cannot be used with a 'linearizable' read concern level",
    );
}
