import { boolValue, EngineError, int32Value, figureValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `dataSize`: bytes and number of a collection's documents, from the figures that are kept. */
export const dataSize = defineCommand({
  name: "dataSize",
  action: "statistics",
  run: async (parameters, context) => {
    const startedMs = context.server.clock.monotonicMs();
    const namespace = parameters.requiredText("dataSize");
    parameters.refuse("keyPattern", "min", "max");
    parameters.ignore("estimate");
    parameters.rejectUnknown();
    const prefix = `${context.database}.`;
    if (!namespace.startsWith(prefix) || namespace.length === prefix.length)
      throw new EngineError(
        73,
        "InvalidNamespace",
        `'${namespace}' is no collection of the database '${context.database}'`,
      );
    const engine = await context.engine();
    const collection = namespace.slice(prefix.length);
    const { documentCount, dataSizeBytes } = await engine.statistics(
      { database: context.database, collection },
      { signal: context.signal },
    );
    return [
      ["estimate", boolValue(false)],
      ["size", figureValue(dataSizeBytes)],
      ["numObjects", figureValue(documentCount)],
      ["millis", int32Value(Math.round(context.server.clock.monotonicMs() - startedMs))],
    ];
  },
});
