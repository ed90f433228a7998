import {
  type Decimal,
  addDecimals,
  compareFinite,
  decimalOf,
  decimalOfDouble,
  decimalValue,
  exactDecimal,
  multiplyDecimals,
  toDouble,
  truncateDecimal,
} from "./decimal.ts";
import { bsonType } from "./types.ts";
import { boolOf, doubleValue, int32Value, int64Of, int64Value, numberOf, type Value } from "./value.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Order of two numbers of any types by value, exact; NaN equals itself and comes before all others. */
export function compareNumbers(one: Value, other: Value): number {
  if (one.type === bsonType.decimal || other.type === bsonType.decimal) return compareWithDecimal(one, other);
  const left = one.type === bsonType.long ? int64Of(one) : numberOf(one);
  const right = other.type === bsonType.long ? int64Of(other) : numberOf(other);
  // A comparison of bigint and number is exact in the language itself.
  if (left < right) return -1;
  if (left > right) return 1;
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : -1;
  return Number.isNaN(right) ? 1 : 0;
}

function compareWithDecimal(one: Value, other: Value): number {
  const left = toExact(one);
  const right = toExact(other);
  const approximateLeft = toDouble(left);
  const approximateRight = toDouble(right);
  if (Number.isNaN(approximateLeft) || Number.isNaN(approximateRight)) {
    return Number(Number.isNaN(approximateRight)) - Number(Number.isNaN(approximateLeft));
  }
  // Rounding keeps order, so only equal approximations need the exact answer.
  if (approximateLeft !== approximateRight) return approximateLeft < approximateRight ? -1 : 1;
  if (left.kind !== "finite" || right.kind !== "finite") return infiniteRank(left) - infiniteRank(right);
  return compareFinite(left, right);
}

function infiniteRank(decimal: Decimal): number {
  if (decimal.kind !== "infinity") return 0;
  return decimal.negative ? -1 : 1;
}

/** The number's exact decimal. */
export function toExact(value: Value): Decimal {
  if (value.type === bsonType.decimal) return decimalOf(value);
  return exactDecimal(value.type === bsonType.long ? int64Of(value) : numberOf(value));
}

/** The number's decimal as arithmetic with decimals takes it (doubles by their 15 digits). */
export function toDecimal(value: Value): Decimal {
  return value.type === bsonType.double ? decimalOfDouble(numberOf(value)) : toExact(value);
}

/** The number as a double, whatever its type. */
export function toNumber(value: Value): number {
  return value.type === bsonType.decimal ? toDouble(decimalOf(value)) : numberOf(value);
}

/** Sum in the widest type of the two; int32 grows to int64. Undefined when it leaves int64: what then happens differs by caller. */
export function addNumbers(one: Value, other: Value): Value | undefined {
  if (one.type === bsonType.decimal || other.type === bsonType.decimal)
    return decimalValue(addDecimals(toDecimal(one), toDecimal(other)));
  if (one.type === bsonType.double || other.type === bsonType.double)
    return doubleValue(numberOf(one) + numberOf(other));
  return integer(wide(one) + wide(other), one, other);
}

/** Product in the widest type of the two; as `addNumbers`. */
export function multiplyNumbers(one: Value, other: Value): Value | undefined {
  if (one.type === bsonType.decimal || other.type === bsonType.decimal)
    return decimalValue(multiplyDecimals(toDecimal(one), toDecimal(other)));
  if (one.type === bsonType.double || other.type === bsonType.double)
    return doubleValue(numberOf(one) * numberOf(other));
  return integer(wide(one) * wide(other), one, other);
}

/** A whole number as int32 when both operands were and it fits, else int64. */
function integer(result: bigint, one: Value, other: Value): Value | undefined {
  if (result < int64Min || result > int64Max) return undefined;
  const narrow =
    one.type === bsonType.int && other.type === bsonType.int && result >= -2_147_483_648n && result <= 2_147_483_647n;
  return narrow ? int32Value(Number(result)) : int64Value(result);
}

/** An int32 or int64 as bigint. */
export function wide(value: Value): bigint {
  return value.type === bsonType.long ? int64Of(value) : BigInt(numberOf(value));
}

/** The number without its fraction; undefined when it is none of 64 bits: too large, NaN or infinite. */
export function truncated(value: Value): bigint | undefined {
  if (value.type === bsonType.int || value.type === bsonType.long) return wide(value);
  if (value.type === bsonType.double) {
    const number = Math.trunc(numberOf(value));
    return Number.isFinite(number) && number >= -(2 ** 63) && number < 2 ** 63 ? BigInt(number) : undefined;
  }
  const whole = truncateDecimal(decimalOf(value));
  return whole !== undefined && whole >= int64Min && whole <= int64Max ? whole : undefined;
}

/** Whether the value counts as true where one is asked for: everything but false, null, undefined, missing and zero. */
export function isTruthy(value: Value | undefined): boolean {
  if (value === undefined) return false;
  switch (value.type) {
    case bsonType.null:
    case bsonType.undefined:
      return false;
    case bsonType.bool:
      return boolOf(value);
    case bsonType.int:
    case bsonType.double:
    case bsonType.long:
    case bsonType.decimal:
      return toNumber(value) !== 0;
    default:
      return true;
  }
}
