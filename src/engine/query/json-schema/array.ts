import { typeMismatch } from "../../engine-error.ts";
import { allElements, mappedList } from "../../bson/arrays.ts";
import { arrayValue } from "../../bson/builder.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { boolOf, int32Value, stringValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldCount } from "../../bson/walk.ts";
import { findElement } from "../element-search.ts";
import { comparing, countOf, details, type Keyword, type Rule, type Schema } from "./rule.ts";
import { unorderedKey } from "./unordered.ts";

/** Keywords about arrays; values that are none pass. */
export const minItems: Keyword = (argument) => {
  const least = countOf("minItems", argument);
  return comparing(
    "minItems",
    argument,
    "array did not match specified length",
    (value) => value.type !== bsonType.array || fieldCount(value) >= least,
    numberOfItems,
  );
};

export const maxItems: Keyword = (argument) => {
  const most = countOf("maxItems", argument);
  return comparing(
    "maxItems",
    argument,
    "array did not match specified length",
    (value) => value.type !== bsonType.array || fieldCount(value) <= most,
    numberOfItems,
  );
};

export const uniqueItems: Keyword = (argument) => {
  if (argument.type !== bsonType.bool)
    throw typeMismatch(`$jsonSchema keyword 'uniqueItems' must be a boolean, but it is ${typeName(argument.type)}`);
  const unique = boolOf(argument);
  return comparing("uniqueItems", argument, "found a duplicate item", (value) => {
    if (!unique || value.type !== bsonType.array) return true;
    const keys = mappedList(allElements(value), unorderedKey);
    return new Set(keys).size === keys.length;
  });
};

/** `items`: one schema for all elements, or one for each place. */
export const items: Keyword = (argument, { compile }) => {
  if (argument.type === bsonType.object) {
    const schema = compile(argument);
    return elementRule("items", (_element, _index) => schema, argument);
  }
  if (argument.type !== bsonType.array)
    throw typeMismatch(
      `$jsonSchema keyword 'items' must be an array or an object, but it is ${typeName(argument.type)}`,
    );
  const schemas = elementsOf(argument).map(compile);
  return elementRule("items", (_element, index) => schemas[index], argument);
};

/** `additionalItems`: what may stand behind the places that an array of `items` names; without one it says nothing. */
export const additionalItems: Keyword = (argument, { siblings, compile }) => {
  const named = siblings.get("items");
  const from = named?.type === bsonType.array ? fieldCount(named) : Number.POSITIVE_INFINITY;
  if (argument.type === bsonType.object) {
    const schema = compile(argument);
    return elementRule("additionalItems", (_element, index) => (index < from ? undefined : schema), argument);
  }
  if (argument.type !== bsonType.bool)
    throw typeMismatch(
      `$jsonSchema keyword 'additionalItems' must be either an object or a boolean, but it is ${typeName(argument.type)}`,
    );
  const allowed = boolOf(argument);
  return {
    holds: (value) => allowed || value.type !== bsonType.array || fieldCount(value) <= from,
    explain: (value) =>
      details("additionalItems", argument, [
        ["reason", stringValue("found additional items")],
        ["additionalItems", arrayValue(elementsOf(value).slice(from))],
      ]),
  };
};

function elementRule(
  keyword: string,
  schemaOf: (element: Value, index: number) => Schema | undefined,
  argument: Value,
): Rule {
  const failing = (value: Value): number =>
    value.type === bsonType.array
      ? findElement(value, (element, index) => schemaOf(element, index)?.holds(element) === false)
      : -1;
  return {
    holds: (value) => failing(value) === -1,
    explain: (value) => {
      const index = failing(value);
      const element = elementsOf(value)[index] as Value;
      return details(keyword, argument.type === bsonType.array ? argument : undefined, [
        ["reason", stringValue("At least one item did not match the sub-schema")],
        ["itemIndex", int32Value(index)],
        ["details", arrayValue((schemaOf(element, index) as Schema).explain(element))],
      ]);
    },
  };
}

function numberOfItems(value: Value): readonly (readonly [string, Value])[] {
  return [["numberOfItems", int32Value(fieldCount(value))]];
}
