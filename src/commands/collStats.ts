import { boolValue, doubleValue, int32Value, figureValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `collStats`: the figures the engine keeps. */
export const collStats = defineCommand({
  name: "collStats",
  action: "statistics",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const scale = parameters.whole("scale", 1) ?? 1;
    parameters.rejectUnknown();
    const engine = await context.engine();
    const statistics = await engine.statistics({ database: context.database, collection }, { signal: context.signal });
    const scaled = (bytes: number): ReturnType<typeof figureValue> => figureValue(Math.floor(bytes / scale));
    const { capped, documentCount, dataSizeBytes, indexCount, indexSizeBytes } = statistics;
    return [
      ["ns", stringValue(`${context.database}.${collection}`)],
      ["size", scaled(dataSizeBytes)],
      ["count", figureValue(documentCount)],
      ...(documentCount === 0 ? [] : ([["avgObjSize", doubleValue(dataSizeBytes / documentCount)]] as const)),
      ["storageSize", scaled(dataSizeBytes)],
      ["capped", boolValue(capped !== undefined)],
      ...(capped === undefined
        ? []
        : ([
            ["max", figureValue(capped.documents ?? 0)],
            ["maxSize", scaled(capped.sizeBytes)],
          ] as const)),
      ["nindexes", int32Value(indexCount)],
      ["totalIndexSize", scaled(indexSizeBytes)],
      ["totalSize", scaled(dataSizeBytes + indexSizeBytes)],
      ["scaleFactor", int32Value(scale)],
    ];
  },
});
