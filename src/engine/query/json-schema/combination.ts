import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { arrayValue, objectValue } from "../../bson/builder.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { int32Value, stringValue, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { details, type Keyword, type KeywordPlace, type Schema } from "./rule.ts";

/** Keywords that combine schemas. */
export const allOf: Keyword = (argument, place) => {
  const schemas = schemasOf("allOf", argument, place);
  return {
    holds: (value) => schemas.every((schema) => schema.holds(value)),
    explain: (value) => details("allOf", undefined, [["schemasNotSatisfied", notSatisfied(schemas, value)]]),
  };
};

export const anyOf: Keyword = (argument, place) => {
  const schemas = schemasOf("anyOf", argument, place);
  return {
    holds: (value) => schemas.some((schema) => schema.holds(value)),
    explain: (value) => details("anyOf", undefined, [["schemasNotSatisfied", notSatisfied(schemas, value)]]),
  };
};

export const oneOf: Keyword = (argument, place) => {
  const schemas = schemasOf("oneOf", argument, place);
  return {
    holds: (value) => schemas.filter((schema) => schema.holds(value)).length === 1,
    explain: (value) => {
      const matching = schemas.flatMap((schema, index) => (schema.holds(value) ? [int32Value(index)] : []));
      if (matching.length === 0)
        return details("oneOf", undefined, [["schemasNotSatisfied", notSatisfied(schemas, value)]]);
      return details("oneOf", undefined, [
        ["reason", stringValue("more than one subschema matched")],
        ["matchingSchemaIndexes", arrayValue(matching)],
      ]);
    },
  };
};

export const not: Keyword = (argument, { compile }) => {
  if (argument.type !== bsonType.object)
    throw typeMismatch(`$jsonSchema keyword 'not' must be an object, but it is ${typeName(argument.type)}`);
  const schema = compile(argument);
  return {
    holds: (value) => !schema.holds(value),
    explain: () => details("not", undefined, [["reason", stringValue("child expression matched")]]),
  };
};

function schemasOf(keyword: string, argument: Value, { compile }: KeywordPlace): readonly Schema[] {
  if (argument.type !== bsonType.array)
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array, but it is ${typeName(argument.type)}`);
  const schemas = elementsOf(argument);
  if (schemas.length === 0) throw failedToParse(`$jsonSchema keyword '${keyword}' must be a non-empty array`);
  return schemas.map(compile);
}

function notSatisfied(schemas: readonly Schema[], value: Value): Value {
  return arrayValue(
    schemas.flatMap((schema, index) =>
      schema.holds(value)
        ? []
        : [
            objectValue([
              ["index", int32Value(index)],
              ["details", arrayValue(schema.explain(value))],
            ]),
          ],
    ),
  );
}
