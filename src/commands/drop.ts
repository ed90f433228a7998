import { EngineError, int32Value, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `drop`: a collection. */
export const drop = defineCommand({
  name: "drop",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    parameters.ignore("encryptedFields");
    parameters.rejectUnknown();
    const namespace = { database: context.database, collection };
    const engine = await context.engine();
    const { indexCount } = await engine.statistics(namespace, { signal: context.signal });
    const dropped = await engine.dropCollection(namespace, context.write);
    if (!dropped) throw new EngineError(26, "NamespaceNotFound", "ns not found");
    return [
      ["nIndexesWas", int32Value(indexCount)],
      ["ns", stringValue(`${context.database}.${collection}`)],
    ];
  },
});
