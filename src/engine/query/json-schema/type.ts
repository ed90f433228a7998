import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { stringValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { typesOf } from "../operators/type.ts";
import { details, type Keyword, type Rule } from "./rule.ts";

/** The types of JSON (draft 4) that MongoDB knows; `integer` is none of them, since BSON has several. */
const jsonTypes: Readonly<Record<string, readonly number[]>> = {
  object: [bsonType.object],
  array: [bsonType.array],
  number: [bsonType.int, bsonType.long, bsonType.double, bsonType.decimal],
  boolean: [bsonType.bool],
  string: [bsonType.string],
  null: [bsonType.null],
};

/** `bsonType`: one alias or several. */
export const bsonTypeKeyword: Keyword = (argument, { siblings }) => {
  if (siblings.has("type")) throw failedToParse("Cannot specify both $jsonSchema keywords 'type' and 'bsonType'");
  for (const name of namesOf("bsonType", argument))
    if (name.type !== bsonType.string)
      throw typeMismatch("$jsonSchema keyword 'bsonType' must be a string or an array of strings");
  return typeRule("bsonType", argument, new Set(typesOf(argument)));
};

/** `type`: one JSON type or several. */
export const type: Keyword = (argument) => {
  const types = namesOf("type", argument).flatMap((name) => {
    if (name.type !== bsonType.string)
      throw typeMismatch("$jsonSchema keyword 'type' must be a string or an array of strings");
    const text = textOf(name);
    const found = Object.hasOwn(jsonTypes, text) ? jsonTypes[text] : undefined;
    if (found === undefined)
      throw failedToParse(
        text === "integer"
          ? "$jsonSchema type 'integer' is not currently supported."
          : `Unknown type name alias: ${text}`,
      );
    return found;
  });
  return typeRule("type", argument, new Set(types));
};

function namesOf(keyword: string, argument: Value): readonly Value[] {
  if (argument.type !== bsonType.array) return [argument];
  const names = elementsOf(argument);
  if (names.length === 0) throw failedToParse(`$jsonSchema keyword '${keyword}' must name at least one type`);
  return names;
}

function typeRule(keyword: string, argument: Value, types: ReadonlySet<number>): Rule {
  return {
    holds: (value) => types.has(value.type),
    explain: (value) =>
      details(keyword, argument, [
        ["reason", stringValue("type did not match")],
        ["consideredValue", value],
        ["consideredType", stringValue(typeName(value.type))],
      ]),
  };
}
