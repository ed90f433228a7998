import { bsonType, elementsOf, EngineError, int32Value, textOf, type Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `dropIndexes`. */
export const dropIndexes = defineCommand({
  name: "dropIndexes",
  action: "collectionAdmin",
  onCollection: true,
  run: async (parameters, context) => {
    const collection = parameters.collection();
    const index = parameters.get("index");
    parameters.rejectUnknown();
    if (index === undefined)
      throw new EngineError(40_414, "Location40414", "BSON field 'dropIndexes.index' is missing but a required field");
    const engine = await context.engine();
    const before = await engine.dropIndexes({ database: context.database, collection }, wantedOf(index), context.write);
    return [["nIndexesWas", int32Value(before)]];
  },
});

function wantedOf(value: Value): "*" | readonly (string | Uint8Array)[] {
  if (value.type === bsonType.string && textOf(value) === "*") return "*";
  const wanted = value.type === bsonType.array ? elementsOf(value) : [value];
  return wanted.map((one) => {
    if (one.type === bsonType.string) return textOf(one);
    if (one.type === bsonType.object) return one.bytes();
    throw new EngineError(14, "TypeMismatch", "an index is named by a string or a key pattern");
  });
}
