import { located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { int32Value, nullValue, type Value } from "../../bson/value.ts";
import { type ExpressionOperator, isNullish, typeOf, unary } from "./operator.ts";

/** Bytes of a string or of binary data, without their frames. */
export const $binarySize: ExpressionOperator = unary((value) => {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (given.type !== bsonType.string && given.type !== bsonType.binData)
    throw located(51_276, `$binarySize requires a string or BinData argument, found: ${typeOf(given)}`);
  return int32Value(given.end - given.start - 5);
});

export const $bsonSize: ExpressionOperator = unary((value) => {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (given.type !== bsonType.object)
    throw located(31_393, `$bsonSize requires a document input, found: ${typeOf(given)}`);
  return int32Value(given.end - given.start);
});
