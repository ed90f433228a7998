import { located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import { type ExpressionOperator, isNullish, typeOf, variadic } from "./operator.ts";

export const $concat: ExpressionOperator = variadic((values) => {
  let text = "";
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type !== bsonType.string) throw located(16_702, `$concat only supports strings, not ${typeOf(given)}`);
    text += textOf(given);
  }
  return stringValue(text);
});
