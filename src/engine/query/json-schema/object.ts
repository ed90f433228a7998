import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { arrayValue, objectValue } from "../../bson/builder.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { boolOf, int32Value, stringValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf, type Field, fieldCount, fieldsOfValue } from "../../bson/walk.ts";
import { createPatternMatch } from "../regular-expression.ts";
import { comparing, countOf, details, type Keyword, type KeywordPlace, type Schema } from "./rule.ts";

/** Keywords about documents; values that are none pass. */
export const required: Keyword = (argument) => {
  const names = namesOf("required", argument);
  const missing = (value: Value): readonly string[] => {
    if (value.type !== bsonType.object) return [];
    const present = new Set(Array.from(fieldsOfValue(value), ({ name }) => name));
    return names.filter((name) => !present.has(name));
  };
  return {
    holds: (value) => missing(value).length === 0,
    explain: (value) =>
      details("required", argument, [["missingProperties", arrayValue(missing(value).toSorted().map(stringValue))]]),
  };
};

export const properties: Keyword = (argument, place) => {
  const schemas = schemasByName("properties", argument, place);
  const failing = (value: Value): readonly (readonly [Field, Schema])[] =>
    firstFields(value).flatMap((field) => {
      const schema = schemas.get(field.name);
      return schema === undefined || schema.holds(field.value) ? [] : [[field, schema] as const];
    });
  return {
    holds: (value) => failing(value).length === 0,
    explain: (value) =>
      details("properties", undefined, [
        ["propertiesNotSatisfied", arrayValue(failing(value).map(([field, schema]) => notSatisfied(field, schema)))],
      ]),
  };
};

export const patternProperties: Keyword = (argument, place) => {
  const schemas = [...schemasByName("patternProperties", argument, place)].map(([pattern, schema]) => ({
    pattern,
    schema,
    matches: createPatternMatch(pattern, ""),
  }));
  const failing = (value: Value): readonly Value[] =>
    firstFields(value).flatMap((field) =>
      schemas.flatMap(({ pattern, schema, matches }) =>
        !matches(stringValue(field.name)) || schema.holds(field.value)
          ? []
          : [
              objectValue([
                ["propertyName", stringValue(field.name)],
                ["regexMatched", stringValue(pattern)],
                ["details", arrayValue(schema.explain(field.value))],
              ]),
            ],
      ),
    );
  return {
    holds: (value) => failing(value).length === 0,
    explain: (value) => details("patternProperties", undefined, [["details", arrayValue(failing(value))]]),
  };
};

/** `additionalProperties`: what fields may be that neither `properties` nor `patternProperties` names. */
export const additionalProperties: Keyword = (argument, { siblings, compile }) => {
  const named = new Set(fieldNames(siblings.get("properties")));
  const patterns = fieldNames(siblings.get("patternProperties")).map((pattern) => createPatternMatch(pattern, ""));
  const further = (value: Value): readonly Field[] =>
    firstFields(value).filter(
      ({ name }) => !named.has(name) && !patterns.some((matches) => matches(stringValue(name))),
    );
  if (argument.type === bsonType.object) {
    const schema = compile(argument);
    const failing = (value: Value): Field | undefined => further(value).find((field) => !schema.holds(field.value));
    return {
      holds: (value) => failing(value) === undefined,
      explain: (value) => {
        const field = failing(value) as Field;
        return details("additionalProperties", undefined, [
          ["reason", stringValue("at least one additional property did not match the subschema")],
          ["failingProperty", stringValue(field.name)],
          ["details", arrayValue(schema.explain(field.value))],
        ]);
      },
    };
  }
  if (argument.type !== bsonType.bool)
    throw typeMismatch(
      `$jsonSchema keyword 'additionalProperties' must be either an object or a boolean, but it is ${typeName(argument.type)}`,
    );
  const allowed = boolOf(argument);
  return {
    holds: (value) => allowed || further(value).length === 0,
    explain: (value) =>
      details("additionalProperties", argument, [
        ["additionalProperties", arrayValue(further(value).map(({ name }) => stringValue(name)))],
      ]),
  };
};

export const minProperties: Keyword = (argument) => {
  const least = countOf("minProperties", argument);
  return comparing(
    "minProperties",
    argument,
    "specified number of properties was not satisfied",
    (value) => value.type !== bsonType.object || fieldCount(value) >= least,
    (value) => [["numberOfProperties", int32Value(fieldCount(value))]],
  );
};

export const maxProperties: Keyword = (argument) => {
  const most = countOf("maxProperties", argument);
  return comparing(
    "maxProperties",
    argument,
    "specified number of properties was not satisfied",
    (value) => value.type !== bsonType.object || fieldCount(value) <= most,
    (value) => [["numberOfProperties", int32Value(fieldCount(value))]],
  );
};

/** `dependencies`: what must hold when a field is there, by further fields or by a schema. */
export const dependencies: Keyword = (argument, { compile }) => {
  const rules = documentOf("dependencies", argument).map(({ name, value }) => {
    if (value.type === bsonType.object) return { name, schema: compile(value), names: [] };
    return { name, schema: undefined, names: namesOf("dependencies", value) };
  });
  const failing = (value: Value): readonly Value[] => {
    if (value.type !== bsonType.object) return [];
    const present = new Set(fieldNames(value));
    return rules.flatMap(({ name, schema, names }) => {
      if (!present.has(name)) return [];
      const missing = names.filter((one) => !present.has(one));
      if (missing.length === 0 && schema?.holds(value) !== false) return [];
      return [
        objectValue([
          ["conditionalProperty", stringValue(name)],
          ...(schema === undefined
            ? ([["missingProperties", arrayValue(missing.map(stringValue))]] as const)
            : ([["details", arrayValue(schema.explain(value))]] as const)),
        ]),
      ];
    });
  };
  return {
    holds: (value) => failing(value).length === 0,
    explain: (value) => details("dependencies", undefined, [["failingDependencies", arrayValue(failing(value))]]),
  };
};

function notSatisfied({ name, value }: Field, schema: Schema): Value {
  return objectValue([
    ["propertyName", stringValue(name)],
    ...(schema.title === undefined ? [] : ([["title", schema.title]] as const)),
    ...(schema.description === undefined ? [] : ([["description", schema.description]] as const)),
    ["details", arrayValue(schema.explain(value))],
  ]);
}

function documentOf(keyword: string, argument: Value): readonly Field[] {
  if (argument.type !== bsonType.object)
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an object, but it is ${typeName(argument.type)}`);
  return [...fieldsOfValue(argument)];
}

function schemasByName(keyword: string, argument: Value, { compile }: KeywordPlace): ReadonlyMap<string, Schema> {
  return new Map(
    documentOf(keyword, argument).map(({ name, value }) => {
      if (value.type !== bsonType.object)
        throw typeMismatch(`Nested schema for $jsonSchema property '${name}' must be an object`);
      return [name, compile(value)];
    }),
  );
}

function namesOf(keyword: string, argument: Value): readonly string[] {
  if (argument.type !== bsonType.array)
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array, but it is ${typeName(argument.type)}`);
  const names = elementsOf(argument).map((element) => {
    if (element.type !== bsonType.string)
      throw typeMismatch(`$jsonSchema keyword '${keyword}' must be an array of strings`);
    return textOf(element);
  });
  if (names.length === 0) throw failedToParse(`$jsonSchema keyword '${keyword}' cannot be an empty array`);
  if (new Set(names).size < names.length)
    throw failedToParse(`$jsonSchema keyword '${keyword}' array cannot contain duplicate values`);
  return names;
}

function fieldNames(value: Value | undefined): readonly string[] {
  return value?.type === bsonType.object ? Array.from(fieldsOfValue(value), ({ name }) => name) : [];
}

/** Fields of a document, of duplicate names the first; none of what is no document. */
function firstFields(value: Value): readonly Field[] {
  if (value.type !== bsonType.object) return [];
  const seen = new Set<string>();
  return [...fieldsOfValue(value)].filter(({ name }) => !seen.has(name) && seen.add(name));
}
