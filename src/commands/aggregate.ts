import { EngineError, isNumberType } from "../engine/index.ts";
import { firstBatch } from "./cursor-reply.ts";
import { defineCommand } from "./define-command.ts";
import { Parameters } from "./parameters.ts";

/** `aggregate`: a pipeline's first batch. */
export const aggregate = defineCommand({
  name: "aggregate",
  action: "find",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = isNumberType(parameters.main.type) ? undefined : parameters.collection();
    const pipeline = parameters.requiredDocuments("pipeline");
    const variables = parameters.document("let");
    const cursorOptions = parameters.document("cursor");
    parameters.refuse("explain");
    parameters.refuseCollation();
    parameters.ignore("allowDiskUse", "hint", "bypassDocumentValidation");
    parameters.rejectUnknown();
    if (cursorOptions === undefined)
      throw new EngineError(
        9,
        "FailedToParse",
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    const batchSize = new Parameters("cursor", cursorOptions, new Map()).whole("batchSize", 0);
    const engine = await context.engine();
    const read = await context.read(engine);
    const cursor = await engine.aggregate(context.database, collection, pipeline, variables, read);
    const namespace = `${context.database}.${collection ?? "$cmd.aggregate"}`;
    return firstBatch(
      cursor,
      { namespace, batchSize, singleBatch: false, neverIdle: false, atClusterTime: read.atClusterTime },
      context,
    );
  },
});
