import { badValue, located, typeMismatch } from "../../engine-error.ts";
import { decimalValue } from "../../bson/decimal.ts";
import { multiplyNumbers, toDecimal, toNumber, wide } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import {
  dateValue,
  doubleValue,
  int32Value,
  int64Of,
  int64Value,
  nullValue,
  numberOf,
  type Value,
} from "../../bson/value.ts";
import { divideNumberValues, subtractNumberValues } from "../number-arithmetic.ts";
import { NumberTotal } from "../accumulators/number-total.ts";
import { absoluteDecimal, negatedDecimal, remainderOfDecimals, roundDecimal } from "../decimal-rounding.ts";
import { type ExpressionOperator, binary, isNullish, typeOf, unary, variadic } from "./operator.ts";

export const $add: ExpressionOperator = variadic((values, { name }) => {
  const total = new NumberTotal();
  let date: bigint | undefined;
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type === bsonType.date) {
      if (date !== undefined) throw located(16_612, "only one date allowed in an $add expression");
      date = int64Of(given);
    } else if (isNumberType(given.type)) total.add(given);
    else throw typeMismatch(`$add only supports numeric or date types, not ${typeOf(given)}`);
  }
  return date === undefined ? total.result() : moveDate(date, total.result(), name);
});

/** The date moved by milliseconds, rounded half away from zero or cut. Throws 2 when 64 bits do not hold it. */
function moveDate(date: bigint, amount: Value, name: string, cut: boolean = false): Value {
  const number = toNumber(amount);
  if (!(Math.abs(number) < 2 ** 64)) throw badValue(`date overflow in ${name}`);
  const isWhole = amount.type === bsonType.int || amount.type === bsonType.long;
  const moved =
    date +
    (isWhole
      ? wide(amount)
      : BigInt(Math.sign(number) * (cut ? Math.floor(Math.abs(number)) : Math.round(Math.abs(number)))));
  if (moved < -(2n ** 63n) || moved >= 2n ** 63n) throw badValue(`date overflow in ${name}`);
  return dateValue(moved);
}

export const $subtract: ExpressionOperator = binary((one, other, { name }) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [left, right] = [one as Value, other as Value];
  if (left.type === bsonType.date && right.type === bsonType.date) return int64Value(int64Of(left) - int64Of(right));
  if (left.type === bsonType.date && isNumberType(right.type))
    return moveDate(int64Of(left), negative(right), name, true);
  if (!isNumberType(left.type) || !isNumberType(right.type))
    throw typeMismatch(`can't $subtract ${typeOf(right)} from ${typeOf(left)}`);
  return subtractNumberValues(left, right);
});

/** The number turned round; the least int64 becomes a double. */
function negative(value: Value): Value {
  if (value.type === bsonType.decimal) return decimalValue(negatedDecimal(toDecimal(value)));
  return multiplyNumbers(value, int32Value(-1)) ?? doubleValue(-numberOf(value));
}

export const $multiply: ExpressionOperator = variadic((values) => {
  let product: Value = int32Value(1);
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (!isNumberType(given.type)) throw typeMismatch(`$multiply only supports numeric types, not ${typeOf(given)}`);
    product = multiplyNumbers(product, given) ?? doubleValue(toNumber(product) * toNumber(given));
  }
  return product;
});

export const $divide: ExpressionOperator = binary((one, other) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [left, right] = [one as Value, other as Value];
  if (!isNumberType(left.type) || !isNumberType(right.type))
    throw typeMismatch(`$divide only supports numeric types, not ${typeOf(left)} and ${typeOf(right)}`);
  if (toNumber(right) === 0) throw badValue("can't $divide by zero");
  return divideNumberValues(left, right);
});

export const $mod: ExpressionOperator = binary((one, other) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [left, right] = [one as Value, other as Value];
  if (!isNumberType(left.type) || !isNumberType(right.type))
    throw located(16_611, `$mod only supports numeric types, not ${typeOf(left)} and ${typeOf(right)}`);
  if (toNumber(right) === 0) throw located(16_610, "can't $mod by zero");
  if (left.type === bsonType.decimal || right.type === bsonType.decimal)
    return decimalValue(remainderOfDecimals(toDecimal(left), toDecimal(right)));
  // A divisor that is a double but a whole number of 32 bits does not make the rest a double.
  const isWhole = right.type !== bsonType.double || (numberOf(right) | 0) === numberOf(right);
  if (left.type === bsonType.double || !isWhole) return doubleValue(toNumber(left) % toNumber(right));
  const isLong = left.type === bsonType.long || right.type === bsonType.long;
  const rest = wide(left) % (right.type === bsonType.double ? BigInt(numberOf(right)) : wide(right));
  return isLong ? int64Value(rest) : int32Value(Number(rest));
});

/** A function of one number; null for nothing. */
function numeric(code: number, compute: (value: Value, name: string) => Value): ExpressionOperator {
  return unary((value, { name }) => {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (!isNumberType(given.type)) throw located(code, `${name} only supports numeric types, not ${typeOf(given)}`);
    return compute(given, name);
  });
}

export const $abs: ExpressionOperator = numeric(28_765, (value) => {
  if (value.type === bsonType.decimal) return decimalValue(absoluteDecimal(toDecimal(value)));
  if (value.type === bsonType.double) return doubleValue(Math.abs(numberOf(value)));
  if (wide(value) >= 0n) return value;
  if (wide(value) === -(2n ** 63n)) throw located(28_680, "can't take $abs of long long min");
  return multiplyNumbers(value, int32Value(-1)) as Value;
});

function toWhole(compute: (value: number) => number, mode: "ceil" | "floor"): ExpressionOperator {
  return numeric(28_765, (value) => {
    if (value.type === bsonType.decimal) return decimalValue(roundDecimal(toDecimal(value), 0, mode));
    return value.type === bsonType.double ? doubleValue(compute(numberOf(value))) : value;
  });
}

export const $ceil: ExpressionOperator = toWhole(Math.ceil, "ceil");
export const $floor: ExpressionOperator = toWhole(Math.floor, "floor");
