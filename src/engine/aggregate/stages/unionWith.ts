import { EngineError, failedToParse, typeMismatch } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import type { Flow } from "../../query/flow.ts";
import { sourceOf, type StageFactory } from "../stage.ts";
import { beginsWithDocuments, stagesOf } from "./lookup.ts";

export const $unionWith: StageFactory = (argument, place) => {
  sourceOf(place);
  const { collection, pipeline } = parse(argument);
  if (collection === undefined && !beginsWithDocuments(pipeline))
    throw failedToParse(
      "$unionWith stage without explicit collection must have a pipeline with $documents as first stage",
    );
  const namespace = collection === undefined ? undefined : { database: place.namespace.database, collection };
  const read = place.compileRead(namespace, pipeline, {
    ...place,
    hint: undefined,
    within: [...place.within, "$unionWith"],
  });
  return function* unionWith(flow: Flow): Flow {
    yield* flow;
    yield* read();
  };
};

function parse(argument: Value): { readonly collection: string | undefined; readonly pipeline: readonly Uint8Array[] } {
  if (argument.type === bsonType.string) return { collection: nonEmpty(textOf(argument)), pipeline: [] };
  if (argument.type !== bsonType.object)
    throw failedToParse(
      `the $unionWith stage specification must be an object or string, but found ${typeName(argument.type)}`,
    );
  let collection: string | undefined;
  let pipeline: readonly Uint8Array[] = [];
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name === "coll") {
      if (value.type !== bsonType.string)
        throw typeMismatch(
          `BSON field '$unionWith.coll' is the wrong type '${typeName(value.type)}', expected type 'string'`,
        );
      collection = nonEmpty(textOf(value));
    } else if (name === "pipeline") {
      if (value.type !== bsonType.array)
        throw typeMismatch(
          `BSON field '$unionWith.pipeline' is the wrong type '${typeName(value.type)}', expected type 'array'`,
        );
      pipeline = stagesOf(value);
    } else throw new EngineError(40_415, "Location40415", `BSON field '$unionWith.${name}' is an unknown field.`);
  }
  return { collection, pipeline };
}

function nonEmpty(name: string): string {
  if (name === "") throw new EngineError(73, "InvalidNamespace", "Collection names cannot be empty");
  return name;
}
