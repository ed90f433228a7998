import { doubleValue, figureValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `dbStats`: sums over the database's collections. */
function create(name: string): ReturnType<typeof defineCommand> {
  return defineCommand({
    name,
    action: "statistics",
    run: async (parameters, context) => {
      const scale = parameters.whole("scale", 1) ?? 1;
      parameters.ignore("freeStorage");
      parameters.rejectUnknown();
      const engine = await context.engine();
      const read = { signal: context.signal };
      const entries = await engine.listCollections(context.database, read);
      const collections = entries.filter(({ type }) => type === "collection");
      const all = await Promise.all(
        collections.map((entry) => engine.statistics({ database: context.database, collection: entry.name }, read)),
      );
      const sum = (pick: (one: (typeof all)[number]) => number): number =>
        all.reduce((total, one) => total + pick(one), 0);
      const objects = sum((one) => one.documentCount);
      const dataSize = sum((one) => one.dataSizeBytes);
      const indexSize = sum((one) => one.indexSizeBytes);
      return [
        ["db", stringValue(context.database)],
        ["collections", figureValue(collections.length)],
        ["views", figureValue(entries.length - collections.length)],
        ["objects", figureValue(objects)],
        ["avgObjSize", doubleValue(objects === 0 ? 0 : dataSize / objects)],
        ["dataSize", doubleValue(dataSize / scale)],
        ["storageSize", doubleValue(dataSize / scale)],
        ["indexes", figureValue(sum((one) => one.indexCount))],
        ["indexSize", doubleValue(indexSize / scale)],
        ["totalSize", doubleValue((dataSize + indexSize) / scale)],
        ["scaleFactor", figureValue(scale)],
      ];
    },
  });
}

export const dbStats = create("dbStats");
export const dbstats = create("dbstats");
