import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { additionalItems, items, maxItems, minItems, uniqueItems } from "./array.ts";
import { allOf, anyOf, not, oneOf } from "./combination.ts";
import { enumKeyword } from "./enum.ts";
import { exclusiveMaximum, exclusiveMinimum, maximum, minimum, multipleOf } from "./number.ts";
import {
  additionalProperties,
  dependencies,
  maxProperties,
  minProperties,
  patternProperties,
  properties,
  required,
} from "./object.ts";
import type { Keyword, Rule, Schema } from "./rule.ts";
import { maxLength, minLength, pattern } from "./string.ts";
import { bsonTypeKeyword, type } from "./type.ts";

const keywords: ReadonlyMap<string, Keyword> = new Map(
  Object.entries({
    additionalItems,
    additionalProperties,
    allOf,
    anyOf,
    bsonType: bsonTypeKeyword,
    dependencies,
    enum: enumKeyword,
    exclusiveMaximum,
    exclusiveMinimum,
    items,
    maxItems,
    maxLength,
    maxProperties,
    maximum,
    minItems,
    minLength,
    minProperties,
    minimum,
    multipleOf,
    not,
    oneOf,
    pattern,
    patternProperties,
    properties,
    required,
    type,
    uniqueItems,
  } satisfies Record<string, Keyword>),
);

/** Keywords of draft 4 that MongoDB does not take either (manual, "$jsonSchema", Omissions). */
const omitted: ReadonlySet<string> = new Set(["$ref", "$schema", "default", "definitions", "format", "id"]);

/** Compiles a JSON Schema of MongoDB's subset of draft 4. Throws 9 FailedToParse and 14 TypeMismatch for what is none. */
export function compileSchema(schema: Value): Schema {
  if (schema.type !== bsonType.object)
    throw typeMismatch(`$jsonSchema must be an object, but it is ${typeName(schema.type)}`);
  const siblings = new Map<string, Value>();
  for (const { name, value } of fieldsOfValue(schema)) {
    if (siblings.has(name)) throw failedToParse(`Duplicate $jsonSchema keyword: ${name}`);
    siblings.set(name, value);
  }
  const rules: Rule[] = [];
  for (const [name, value] of siblings) {
    if (name === "title" || name === "description") {
      if (value.type !== bsonType.string) throw typeMismatch(`$jsonSchema keyword '${name}' must be of type string`);
      continue;
    }
    const keyword = keywords.get(name);
    if (keyword === undefined)
      throw failedToParse(
        omitted.has(name)
          ? `$jsonSchema keyword '${name}' is not currently supported`
          : `Unknown $jsonSchema keyword: ${name}`,
      );
    rules.push(keyword(value, { siblings, compile: compileSchema }));
  }
  return {
    holds: (value) => rules.every((rule) => rule.holds(value)),
    explain: (value) => rules.filter((rule) => !rule.holds(value)).map((rule) => rule.explain(value)),
    title: siblings.get("title"),
    description: siblings.get("description"),
  };
}
