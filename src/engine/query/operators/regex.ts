import { badValue, located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { regexOf, textOf } from "../../bson/value.ts";
import { createPatternMatch } from "../regular-expression.ts";
import { anyValueTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** `$regex`, with the `$options` beside it. */
export const $regex: QueryOperator = (argument, { path, siblings }) => {
  const given = siblings.find(({ name }) => name === "$options")?.value;
  if (given !== undefined && given.type !== bsonType.string) throw badValue("$options has to be a string");
  const options = given === undefined ? undefined : textOf(given);
  if (argument.type === bsonType.string)
    return anyValueTest(path, createPatternMatch(textOf(argument), options ?? ""), false);
  if (argument.type !== bsonType.regex) throw badValue("$regex has to be a string");
  const own = regexOf(argument);
  if (options !== undefined && own.options !== "") throw located(51_075, "options set in both $regex and $options");
  return anyValueTest(path, createPatternMatch(own.pattern, options ?? own.options), false);
};

/** `$options` means nothing alone. */
export const $options: QueryOperator = (_argument, { siblings }) => {
  if (!siblings.some(({ name }) => name === "$regex")) throw badValue("$options needs a $regex");
  return () => true;
};
