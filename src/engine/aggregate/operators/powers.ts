import { located } from "../../engine-error.ts";
import { decimalValue, divideDecimals, exactDecimal } from "../../bson/decimal.ts";
import { toDecimal, toNumber, wide } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, int32Value, int64Value, nullValue, numberOf, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import * as decimals from "../decimal-functions.ts";
import { paddedDecimal, roundDecimal, type RoundingMode } from "../decimal-rounding.ts";
import { type Domain, ofNumber } from "./number-function.ts";
import {
  binary,
  countedArguments,
  type ExpressionOperator,
  int32Of,
  isNullish,
  isNumber,
  shownNumber,
  typeOf,
} from "./operator.ts";

const isPositive = (value: number): boolean => value > 0;

function where(accepts: (value: number) => boolean, code: number, what: string): Domain {
  return { accepts, refuse: (name, shown) => located(code, `${name}'s argument must be ${what}, but is ${shown}`) };
}

export const $exp: ExpressionOperator = ofNumber(Math.exp, decimals.exponential);
export const $ln: ExpressionOperator = ofNumber(
  Math.log,
  decimals.logarithm,
  where(isPositive, 28_766, "a positive number"),
);
export const $log10: ExpressionOperator = ofNumber(
  Math.log10,
  decimals.logarithm10,
  where(isPositive, 28_761, "a positive number"),
);
export const $sqrt: ExpressionOperator = ofNumber(
  Math.sqrt,
  decimals.rootOf,
  where((value) => value >= 0, 28_714, "greater than or equal to 0"),
);

/** `[number, base]`. */
export const $log: ExpressionOperator = binary((one, other) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [value, base] = [one as Value, other as Value];
  if (!isNumberType(value.type)) throw located(28_756, `$log's argument must be numeric, not ${typeOf(value)}`);
  if (!isNumberType(base.type)) throw located(28_757, `$log's base must be numeric, not ${typeOf(base)}`);
  if (toNumber(value) <= 0)
    throw located(28_758, `$log's argument must be a positive number, but is ${shownNumber(value)}`);
  if (toNumber(base) <= 0 || toNumber(base) === 1)
    throw located(28_759, `$log's base must be a positive number not equal to 1, but is ${shownNumber(base)}`);
  if (value.type === bsonType.decimal || base.type === bsonType.decimal)
    return decimalValue(divideDecimals(decimals.logarithm(toDecimal(value)), decimals.logarithm(toDecimal(base))));
  return doubleValue(Math.log(toNumber(value)) / Math.log(toNumber(base)));
});

export const $pow: ExpressionOperator = binary((one, other) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [base, exponent] = [one as Value, other as Value];
  if (!isNumberType(base.type)) throw located(28_762, `$pow's base must be numeric, not ${typeOf(base)}`);
  if (!isNumberType(exponent.type)) throw located(28_763, `$pow's exponent must be numeric, not ${typeOf(exponent)}`);
  if (toNumber(base) === 0 && toNumber(exponent) < 0)
    throw located(28_764, "$pow cannot take a base of 0 and a negative exponent");
  if (base.type === bsonType.decimal || exponent.type === bsonType.decimal)
    return decimalValue(decimals.power(toDecimal(base), toDecimal(exponent)));
  if (base.type === bsonType.double || exponent.type === bsonType.double)
    return doubleValue(numberOf(base) ** numberOf(exponent));
  return wholePower(base, exponent) ?? doubleValue(numberOf(base) ** numberOf(exponent));
});

/** A whole power of a whole number while 64 bits hold it. */
function wholePower(base: Value, exponent: Value): Value | undefined {
  const [number, power] = [wide(base), wide(exponent)];
  const isLong = base.type === bsonType.long || exponent.type === bsonType.long;
  const isUnit = number === 0n || number === 1n || number === -1n;
  if (!isUnit && (power < 0n || power > 63n)) return undefined;
  const result = isUnit ? unitPower(number, power) : number ** power;
  if (result < -(2n ** 63n) || result >= 2n ** 63n) return undefined;
  const narrow = !isLong && result >= -2_147_483_648n && result <= 2_147_483_647n;
  return narrow ? int32Value(Number(result)) : int64Value(result);
}

function unitPower(number: bigint, power: bigint): bigint {
  if (number === -1n) return power % 2n === 0n ? 1n : -1n;
  return power === 0n ? 1n : number;
}

/** `[number, place]`: to so many digits behind the point, or before it. */
function rounding(mode: RoundingMode, compute: (value: number) => number): ExpressionOperator {
  return (argument, place) => {
    const [part, places] = countedArguments(argument, place, 1, 2) as [Expression, Expression?];
    const { name } = place;
    return (root) => {
      const value = part(root);
      const digits = places?.(root);
      if (isNullish(value) || (places !== undefined && isNullish(digits))) return nullValue;
      const given: Value = value;
      if (!isNumberType(given.type)) throw located(51_081, `${name} only supports numeric types, not ${typeOf(given)}`);
      const digitCount = places === undefined ? 0 : placesOf(digits as Value, name);
      if (given.type === bsonType.decimal)
        return decimalValue(paddedDecimal(roundDecimal(toDecimal(given), digitCount, mode), digitCount));
      if (given.type === bsonType.double) {
        const number = numberOf(given);
        if (digitCount === 0 || !Number.isFinite(number)) return doubleValue(compute(number));
        return doubleValue(roundedDouble(number, digitCount, mode));
      }
      return digitCount >= 0 ? given : roundedWhole(given, digitCount, mode, name);
    };
  };
}

function placesOf(value: Value, name: string): number {
  const number = isNumber(value) ? int32Of(value) : undefined;
  if (number === undefined) throw located(51_082, `precision argument to ${name} must be a integral value`);
  if (number < -20 || number > 100)
    throw located(51_083, `cannot apply ${name} with precision value ${number} value must be in [-20, 100]`);
  return number;
}

/** Through the double's exact decimal, as MongoDB does it: 2.675 is stored as a little less and so becomes 2.67. */
function roundedDouble(number: number, places: number, mode: RoundingMode): number {
  const result = roundDecimal(exactDecimal(number), places, mode);
  return result.kind === "finite" ? toNumber(decimalValue(result)) : number;
}

function roundedWhole(value: Value, places: number, mode: RoundingMode, name: string): Value {
  const result = roundDecimal(toDecimal(value), places, mode);
  if (result.kind !== "finite") return value;
  const whole = result.coefficient * 10n ** BigInt(Math.max(0, result.exponent)) * (result.negative ? -1n : 1n);
  if (whole < -(2n ** 63n) || whole >= 2n ** 63n)
    throw located(51_080, `invalid conversion from Decimal128 result in ${name}`);
  const narrow = value.type === bsonType.int && whole >= -2_147_483_648n && whole <= 2_147_483_647n;
  return narrow ? int32Value(Number(whole)) : int64Value(whole);
}

/** Half to even. */
function roundHalfEven(number: number): number {
  const floor = Math.floor(number);
  const rest = number - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const result = up ? floor + 1 : floor;
  return result === 0 && (number < 0 || Object.is(number, -0)) ? -0 : result;
}

export const $round: ExpressionOperator = rounding("even", roundHalfEven);
export const $trunc: ExpressionOperator = rounding("trunc", Math.trunc);
