import { typeMismatch } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { int32Value, textOf, type Value } from "../../bson/value.ts";
import { createPatternMatch } from "../regular-expression.ts";
import { comparing, countOf, type Keyword } from "./rule.ts";

/** Keywords about strings; values that are none pass. Lengths are in characters. */
export const minLength: Keyword = (argument) => {
  const least = countOf("minLength", argument);
  return comparing(
    "minLength",
    argument,
    "specified string length was not satisfied",
    (value) => value.type !== bsonType.string || lengthOf(value) >= least,
    (value) => [["consideredLength", int32Value(lengthOf(value))]],
  );
};

export const maxLength: Keyword = (argument) => {
  const most = countOf("maxLength", argument);
  return comparing(
    "maxLength",
    argument,
    "specified string length was not satisfied",
    (value) => value.type !== bsonType.string || lengthOf(value) <= most,
    (value) => [["consideredLength", int32Value(lengthOf(value))]],
  );
};

export const pattern: Keyword = (argument) => {
  if (argument.type !== bsonType.string)
    throw typeMismatch(`$jsonSchema keyword 'pattern' must be a string, but it is ${typeName(argument.type)}`);
  const matches = createPatternMatch(textOf(argument), "");
  return comparing(
    "pattern",
    argument,
    "regular expression did not match",
    (value) => value.type !== bsonType.string || matches(value),
  );
};

function lengthOf(value: Value): number {
  return [...textOf(value)].length;
}
