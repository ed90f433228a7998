import { doubleValue, int64Value, stringValue } from "../engine/index.ts";
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
        ["collections", int64Value(BigInt(collections.length))],
        ["views", int64Value(BigInt(entries.length - collections.length))],
        ["objects", int64Value(BigInt(objects))],
        ["avgObjSize", doubleValue(objects === 0 ? 0 : dataSize / objects)],
        ["dataSize", doubleValue(dataSize / scale)],
        ["storageSize", doubleValue(dataSize / scale)],
        ["indexes", int64Value(BigInt(sum((one) => one.indexCount)))],
        ["indexSize", doubleValue(indexSize / scale)],
        ["totalSize", doubleValue((dataSize + indexSize) / scale)],
        ["scaleFactor", int64Value(BigInt(scale))],
      ];
    },
  });
}

export const dbStats = create("dbStats");
export const dbstats = create("dbstats");
