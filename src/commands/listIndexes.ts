import { cursorOptionsOf, listBatch } from "./cursor-reply.ts";
import { defineCommand } from "./define-command.ts";

/** `listIndexes`: specifications, `_id_` first. */
export const listIndexes = defineCommand({
  name: "listIndexes",
  action: "statistics",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const batchSize = cursorOptionsOf(parameters)?.batchSize;
    parameters.refuse("includeIndexBuildInfo");
    parameters.ignore("includeBuildUUIDs");
    parameters.rejectUnknown();
    const engine = await context.engine();
    const documents = await engine.listIndexes({ database: context.database, collection }, await context.read(engine));
    return listBatch(documents, `${context.database}.${collection}`, batchSize, context);
  },
});
