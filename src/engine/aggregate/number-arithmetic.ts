import { decimalValue, divideDecimals } from "../bson/decimal.ts";
import { addNumbers, multiplyNumbers, toDecimal, toNumber, wide } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import { doubleValue, int32Value, int64Value, numberOf, type Value } from "../bson/value.ts";
import { negatedDecimal } from "./decimal-rounding.ts";

/** Sum in the wider type of both; what 64 bits do not hold becomes a double. */
export function addNumberValues(one: Value, other: Value): Value {
  return addNumbers(one, other) ?? doubleValue(toNumber(one) + toNumber(other));
}

export function multiplyNumberValues(one: Value, other: Value): Value {
  return multiplyNumbers(one, other) ?? doubleValue(toNumber(one) * toNumber(other));
}

export function subtractNumberValues(one: Value, other: Value): Value {
  if (one.type === bsonType.decimal || other.type === bsonType.decimal)
    return addNumbers(one, decimalValue(negatedDecimal(toDecimal(other)))) as Value;
  if (one.type === bsonType.double || other.type === bsonType.double)
    return doubleValue(numberOf(one) - numberOf(other));
  return wholeResult(wide(one) - wide(other), one, other) ?? doubleValue(numberOf(one) - numberOf(other));
}

/** A double, or a decimal when one of both is; the divisor must not be zero. */
export function divideNumberValues(one: Value, other: Value): Value {
  if (one.type === bsonType.decimal || other.type === bsonType.decimal)
    return decimalValue(divideDecimals(toDecimal(one), toDecimal(other)));
  return doubleValue(toNumber(one) / toNumber(other));
}

/** A whole number in the wider type of both, int32 grown to int64 where needed; undefined when it leaves int64. */
function wholeResult(result: bigint, one: Value, other: Value): Value | undefined {
  if (result < -(2n ** 63n) || result >= 2n ** 63n) return undefined;
  const narrow =
    one.type === bsonType.int && other.type === bsonType.int && result >= -2_147_483_648n && result <= 2_147_483_647n;
  return narrow ? int32Value(Number(result)) : int64Value(result);
}
