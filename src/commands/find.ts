import { emptyDocument, EngineError } from "../engine/index.ts";
import { batchSizeOf, firstBatch } from "./cursor-reply.ts";
import { defineCommand } from "./define-command.ts";
import { notInTransaction } from "./transaction-fields.ts";
import { hintOf } from "./hint.ts";
import { indexLimitsOf } from "./index-limits.ts";

/** `find`: a query's first batch. */
export const find = defineCommand({
  name: "find",
  action: "find",
  onCollection: true,
  snapshotReads: true,
  counted: "query",
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const batchSize = batchSizeOf(parameters);
    const singleBatch = parameters.flag("singleBatch");
    const neverIdle = parameters.flag("noCursorTimeout");
    const limit = parameters.whole("limit", 0);
    const sort = parameters.document("sort");
    const projection = parameters.document("projection");
    const variables = parameters.document("let");
    const hint = hintOf(parameters.get("hint"));
    const skip = parameters.whole("skip", 0);
    const filter = parameters.document("filter") ?? emptyDocument;
    const collation = parameters.document("collation");
    const allowDiskUse = parameters.flag("allowDiskUse", true);
    const tailable = parameters.flag("tailable");
    const awaitsData = parameters.flag("awaitData");
    requireTail(tailable, awaitsData, singleBatch);
    if (tailable && context.transaction !== undefined)
      throw notInTransaction("Cannot use a tailable cursor in a transaction");
    const place = { returnKey: parameters.flag("returnKey"), showRecordId: parameters.flag("showRecordId") };
    const limits = indexLimitsOf(parameters);
    // Bounds on `ts` find their place in the log by themselves.
    parameters.ignore("oplogReplay", "allowPartialResults", "maxScan", "snapshot");
    parameters.rejectUnknown();
    const engine = await context.engine();
    const read = await context.read(engine);
    const cursor = await engine.find(
      { database: context.database, collection },
      {
        filter,
        collation,
        allowDiskUse,
        ...(projection === undefined ? {} : { projection }),
        ...(sort === undefined ? {} : { sort }),
        ...(skip === undefined ? {} : { skip }),
        ...(limit === undefined ? {} : { limit }),
        ...(hint === undefined ? {} : { hint }),
        ...(variables === undefined ? {} : { variables }),
        ...(tailable ? { tailable } : {}),
        ...place,
        ...limits,
      },
      read,
    );
    return firstBatch(
      cursor,
      {
        namespace: `${context.database}.${collection}`,
        batchSize,
        singleBatch,
        neverIdle,
        awaitsData,
        atClusterTime: read.atClusterTime,
      },
      context,
    );
  },
});

function requireTail(tailable: boolean, awaitsData: boolean, singleBatch: boolean): void {
  if (awaitsData && !tailable)
    throw new EngineError(9, "FailedToParse", "Cannot set 'awaitData' without also setting 'tailable'");
  if (tailable && singleBatch)
    throw new EngineError(9, "FailedToParse", "Cannot use tailable option with the 'singleBatch' option");
}
