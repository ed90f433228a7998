import { wholeBatch } from "./cursor-reply.ts";
import { defineCommand } from "./define-command.ts";

/** `listIndexes`: specifications, `_id_` first. */
export const listIndexes = defineCommand({
  name: "listIndexes",
  action: "statistics",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    parameters.ignore("cursor", "includeBuildUUIDs", "includeIndexBuildInfo");
    parameters.rejectUnknown();
    const engine = await context.engine();
    const documents = await engine.listIndexes({ database: context.database, collection }, await context.read(engine));
    return wholeBatch(documents, `${context.database}.${collection}`);
  },
});
