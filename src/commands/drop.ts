import { type Engine, EngineError, int32Value, type Namespace, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `drop`: a collection or a view. */
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
    const indexCount = await indexCountOf(engine, namespace, context.signal);
    const dropped = await engine.dropCollection(namespace, context.write);
    if (!dropped) throw new EngineError(26, "NamespaceNotFound", "ns not found");
    return [
      ["nIndexesWas", int32Value(indexCount)],
      ["ns", stringValue(`${context.database}.${collection}`)],
    ];
  },
});

/** A view has none, and says so. */
async function indexCountOf(engine: Engine, namespace: Namespace, signal: AbortSignal): Promise<number> {
  try {
    return (await engine.statistics(namespace, { signal })).indexCount;
  } catch (error) {
    if (error instanceof EngineError && error.codeName === "CommandNotSupportedOnView") return 0;
    throw error;
  }
}
