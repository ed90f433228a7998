import { located, typeMismatch } from "../../engine-error.ts";
import { wide } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { int32Value, int64Value, nullValue, numberOf, type Value } from "../../bson/value.ts";
import { type ExpressionOperator, isNullish, typeOf, unary, variadic } from "./operator.ts";

/** int32 as long as every operand is one, else int64. */
function combining(begin: bigint, combine: (one: bigint, other: bigint) => bigint): ExpressionOperator {
  return variadic((values, { name }) => {
    let result = begin;
    let isLong = false;
    for (const value of values) {
      if (isNullish(value)) return nullValue;
      const given: Value = value;
      if (given.type !== bsonType.int && given.type !== bsonType.long)
        throw typeMismatch(`${name} only supports int and long operands, not ${typeOf(given)}.`);
      if (given.type === bsonType.long) isLong = true;
      result = combine(result, wide(given));
    }
    return isLong ? int64Value(BigInt.asIntN(64, result)) : int32Value(Number(BigInt.asIntN(32, result)));
  });
}

export const $bitAnd: ExpressionOperator = combining(-1n, (one, other) => one & other);
export const $bitOr: ExpressionOperator = combining(0n, (one, other) => one | other);
export const $bitXor: ExpressionOperator = combining(0n, (one, other) => one ^ other);

export const $bitNot: ExpressionOperator = unary((value) => {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (given.type === bsonType.int) return int32Value(~numberOf(given));
  if (given.type === bsonType.long) return int64Value(~wide(given));
  throw located(28_765, `$bitNot only supports int and long, not ${typeOf(given)}.`);
});
