import { EngineError, failedToParse, located, typeMismatch } from "../../engine-error.ts";
import { arrayValue, objectValue, buildDocument } from "../../bson/builder.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { stringValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, type Field, fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { compileExpression } from "../expression.ts";
import { objectOf, type StageFactory, type StagePlace } from "../stage.ts";
import { windowed, windowFunction, type WindowOutput } from "./setWindowFields.ts";

/** Fills what is null or missing: by `$locf`, by `$linearFill`, or by a value. */
export const $fill: StageFactory = (argument, place) => {
  const given = new Map(Array.from(fieldsOf(objectOf(argument, place.name, 9)), ({ name, value }) => [name, value]));
  for (const name of given.keys())
    if (!["partitionBy", "partitionByFields", "sortBy", "output"].includes(name))
      throw new EngineError(40_415, "Location40415", `BSON field '$fill.${name}' is an unknown field.`);
  if (given.has("partitionBy") && given.has("partitionByFields"))
    throw located(6_050_204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'");
  const output = given.get("output");
  if (output?.type !== bsonType.object)
    throw new EngineError(40_414, "Location40414", "BSON field '$fill.output' is missing but a required field");
  const sortBy = given.get("sortBy");
  if (sortBy !== undefined && sortBy.type !== bsonType.object)
    throw typeMismatch(
      `BSON field '$fill.sortBy' is the wrong type '${typeName(sortBy.type)}', expected type 'object'`,
    );
  const fields = [...fieldsOfValue(output)];
  const partition = partitionOf(given);
  const windows: WindowOutput[] = [];
  const additions: [string, Value][] = [];
  for (const field of fields) {
    const { name, value } = methodOf(field);
    if (name === "value") additions.push([field.name, ifNull(field.name, value)]);
    else windows.push(windowOutput(field.name, value, sortBy?.bytes(), place));
  }
  const fill =
    windows.length === 0
      ? undefined
      : windowed(
          partition === undefined ? undefined : compileExpression(partition, place.expressions),
          sortBy?.bytes(),
          windows,
          place,
        );
  const add =
    additions.length === 0
      ? undefined
      : place.compile([buildDocument([["$addFields", objectValue(additions)]])], place);
  return (flow) => {
    const filled = fill === undefined ? flow : fill(flow);
    return add === undefined ? filled : add(filled);
  };
};

function partitionOf(given: ReadonlyMap<string, Value>): Value | undefined {
  const partitionBy = given.get("partitionBy");
  if (partitionBy !== undefined) {
    if (partitionBy.type !== bsonType.object && partitionBy.type !== bsonType.string)
      throw typeMismatch("BSON field '$fill.partitionBy' is the wrong type, expected types '[string, object]'");
    return partitionBy;
  }
  const fields = given.get("partitionByFields");
  if (fields === undefined) return undefined;
  if (fields.type !== bsonType.array)
    throw typeMismatch("BSON field '$fill.partitionByFields' is the wrong type, expected type 'array'");
  return partitionByFields(fields);
}

/** Documents are of one partition when all the fields are equal. */
export function partitionByFields(fields: Value): Value {
  return objectValue(
    elementsOf(fields).map((field, index) => {
      const path = field.type === bsonType.string ? textOf(field) : "";
      if (path === "" || path.startsWith("$"))
        throw located(5_733_205, "Fields in 'partitionByFields' cannot begin with '$' and must be strings");
      return [`f${index}`, stringValue(`$${path}`)] as const;
    }),
  );
}

function methodOf({ name, value }: Field): Field {
  const [method, more] = value.type === bsonType.object ? [...fieldsOfValue(value)] : [];
  if (method === undefined || more !== undefined || (method.name !== "value" && method.name !== "method"))
    throw located(
      6_050_202,
      `The output of $fill for '${name}' must be an object with exactly one field: 'method' or 'value'`,
    );
  return method;
}

function windowOutput(path: string, method: Value, sortBy: Uint8Array | undefined, place: StagePlace): WindowOutput {
  const name = method.type === bsonType.string ? textOf(method) : "";
  if (name !== "locf" && name !== "linear") throw located(6_050_202, "Method must be either locf or linear");
  if (sortBy === undefined && name === "linear")
    throw failedToParse("$linearFill must be specified with a top level sortBy expression with exactly one element");
  const operator = name === "locf" ? "$locf" : "$linearFill";
  return {
    segments: path.split("."),
    compute: windowFunction(operator, stringValue(`$${path}`), undefined, sortBy, place),
  };
}

function ifNull(path: string, value: Value): Value {
  return objectValue([["$ifNull", arrayValue([stringValue(`$${path}`), value])]]);
}
