import { EngineError } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `convertToCapped`: the newest documents of a collection, in a capped one of its name. */
export const convertToCapped = defineCommand({
  name: "convertToCapped",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const sizeBytes = parameters.whole("size", Number.MIN_SAFE_INTEGER);
    parameters.rejectUnknown();
    if (sizeBytes === undefined || sizeBytes <= 0)
      throw new EngineError(72, "InvalidOptions", "Capped collection size must be greater than zero");
    const engine = await context.engine();
    await engine.convertToCapped({ database: context.database, collection }, sizeBytes, context.write);
    return [];
  },
});
