import { readUint64 } from "./bytes.ts";
import { bsonType } from "./types.ts";
import { Value } from "./value.ts";

/** A decimal number: `coefficient * 10 ** exponent`, negative zero kept apart by `negative`. */
export interface FiniteDecimal {
  readonly kind: "finite";
  readonly negative: boolean;
  readonly coefficient: bigint;
  readonly exponent: number;
}

export type Decimal =
  | FiniteDecimal
  | { readonly kind: "infinity"; readonly negative: boolean }
  | { readonly kind: "nan" };

const exponentBias = 6176;
const exponentMin = -6176;
const exponentMax = 6111;
const coefficientMax = 10n ** 34n - 1n;
const low64 = 0xffff_ffff_ffff_ffffn;

/** Reads IEEE 754-2008 decimal128 in BID encoding, as BSON has it. */
export function decimalOf(value: Value): Decimal {
  const low = readUint64(value.source, value.start);
  const high = readUint64(value.source, value.start + 8);
  const negative = high >> 63n === 1n;
  if (((high >> 61n) & 3n) !== 3n) {
    const coefficient = ((high & 0x1_ffff_ffff_ffffn) << 64n) | low;
    // A coefficient above 34 digits is not canonical and stands for zero.
    return {
      kind: "finite",
      negative,
      coefficient: coefficient > coefficientMax ? 0n : coefficient,
      exponent: Number((high >> 49n) & 0x3fffn) - exponentBias,
    };
  }
  if (((high >> 58n) & 0x1fn) === 0x1en) return { kind: "infinity", negative };
  if (((high >> 58n) & 0x1fn) === 0x1fn) return { kind: "nan" };
  return { kind: "finite", negative, coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) - exponentBias };
}

/** The nearest decimal128, rounded half to even at 34 digits. */
export function decimalValue(decimal: Decimal): Value {
  if (decimal.kind === "nan") return encoded(0x7c00_0000_0000_0000n, 0n);
  if (decimal.kind === "infinity")
    return encoded(decimal.negative ? 0xf800_0000_0000_0000n : 0x7800_0000_0000_0000n, 0n);
  let { coefficient, exponent } = rounded(decimal.coefficient, decimal.exponent);
  while (exponent > exponentMax && coefficient !== 0n && coefficient * 10n <= coefficientMax) {
    coefficient *= 10n;
    exponent -= 1;
  }
  if (exponent > exponentMax) {
    if (coefficient !== 0n) return decimalValue({ kind: "infinity", negative: decimal.negative });
    exponent = exponentMax;
  }
  if (exponent < exponentMin) {
    coefficient = divideHalfEven(coefficient, 10n ** BigInt(Math.min(exponentMin - exponent, 40)));
    exponent = exponentMin;
  }
  const sign = decimal.negative ? 1n << 63n : 0n;
  return encoded(sign | (BigInt(exponent + exponentBias) << 49n) | (coefficient >> 64n), coefficient & low64);
}

/** The exact decimal of a double or an integer. */
export function exactDecimal(number: number | bigint): Decimal {
  if (typeof number === "bigint") return finite(number < 0n, number < 0n ? -number : number, 0);
  if (Number.isNaN(number)) return { kind: "nan" };
  const negative = number < 0 || Object.is(number, -0);
  if (!Number.isFinite(number)) return { kind: "infinity", negative };
  if (Number.isSafeInteger(number)) return finite(negative, BigInt(Math.abs(number)), 0);
  const { mantissa, power } = parts(Math.abs(number));
  return power >= 0
    ? finite(negative, mantissa << BigInt(power), 0)
    : finite(negative, mantissa * 5n ** BigInt(-power), power);
}

/** A double as MongoDB turns it into a decimal: its 15 significant digits. */
export function decimalOfDouble(number: number): Decimal {
  if (!Number.isFinite(number) || number === 0) return exactDecimal(number);
  return parseDecimal(number.toPrecision(15)) ?? exactDecimal(number);
}

/** Reads decimal text such as `-1.50E+3`; undefined when it is none. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:e([+-]?\d{1,6}))?$/i.exec(text.trim());
  if (match === null) {
    const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text.trim());
    if (special === null) return undefined;
    return special[2]?.toLowerCase() === "nan" ? { kind: "nan" } : { kind: "infinity", negative: special[1] === "-" };
  }
  const fraction = match[3] ?? match[4] ?? "";
  return finite(match[1] === "-", BigInt((match[2] ?? "") + fraction), Number(match[5] ?? 0) - fraction.length);
}

export function addDecimals(one: Decimal, other: Decimal): Decimal {
  if (one.kind !== "finite" || other.kind !== "finite") {
    if (one.kind === "nan" || other.kind === "nan") return { kind: "nan" };
    if (one.kind === "infinity" && other.kind === "infinity")
      return one.negative === other.negative ? one : { kind: "nan" };
    return one.kind === "infinity" ? one : other;
  }
  const exponent = Math.min(one.exponent, other.exponent);
  const sum = scaled(one, exponent) + scaled(other, exponent);
  return finite(sum < 0n || (sum === 0n && one.negative && other.negative), sum < 0n ? -sum : sum, exponent);
}

export function multiplyDecimals(one: Decimal, other: Decimal): Decimal {
  if (one.kind === "nan" || other.kind === "nan") return { kind: "nan" };
  const negative = one.negative !== other.negative;
  if (one.kind === "finite" && other.kind === "finite") {
    return finite(negative, one.coefficient * other.coefficient, one.exponent + other.exponent);
  }
  const zero =
    (one.kind === "finite" && one.coefficient === 0n) || (other.kind === "finite" && other.coefficient === 0n);
  return zero ? { kind: "nan" } : { kind: "infinity", negative };
}

/** Division to 34 digits; the divisor must not be zero. */
export function divideDecimals(one: Decimal, other: Decimal): Decimal {
  if (one.kind !== "finite" || other.kind !== "finite") {
    if (one.kind === "nan" || other.kind === "nan" || (one.kind === "infinity" && other.kind === "infinity"))
      return { kind: "nan" };
    return one.kind === "infinity"
      ? { kind: "infinity", negative: one.negative !== other.negative }
      : finite(one.negative !== other.negative, 0n, 0);
  }
  const negative = one.negative !== other.negative;
  const shift = 36 + String(other.coefficient).length;
  const quotient = (one.coefficient * 10n ** BigInt(shift)) / other.coefficient;
  const exact = quotient * other.coefficient === one.coefficient * 10n ** BigInt(shift);
  let result = { coefficient: quotient, exponent: one.exponent - other.exponent - shift };
  const preferred = one.exponent - other.exponent;
  // An exact quotient keeps the exponent that the operands suggest, as far as its zeros allow.
  const target = exact ? preferred : Number.NEGATIVE_INFINITY;
  while (result.exponent < target && result.coefficient % 10n === 0n)
    result = { coefficient: result.coefficient / 10n, exponent: result.exponent + 1 };
  return finite(negative, result.coefficient, result.exponent);
}

/** Sign of `one - other` for finite decimals, exact. */
export function compareFinite(one: FiniteDecimal, other: FiniteDecimal): number {
  const exponent = Math.min(one.exponent, other.exponent);
  const difference = scaled(one, exponent) - scaled(other, exponent);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The decimal without its fraction; undefined when it is not finite or has more than 34 digits before the point. */
export function truncateDecimal(decimal: Decimal): bigint | undefined {
  if (decimal.kind !== "finite") return undefined;
  const { coefficient, exponent } = decimal;
  if (coefficient === 0n || exponent < -40) return 0n;
  if (exponent > 40) return undefined;
  const whole = exponent >= 0 ? coefficient * 10n ** BigInt(exponent) : coefficient / 10n ** BigInt(-exponent);
  return decimal.negative ? -whole : whole;
}

/** The nearest whole number, of two the even one; undefined when it is not finite or has more than 34 digits before the point. */
export function roundDecimal(decimal: Decimal): bigint | undefined {
  if (decimal.kind !== "finite" || decimal.exponent >= 0 || decimal.exponent < -40) return truncateDecimal(decimal);
  const whole = divideHalfEven(decimal.coefficient, 10n ** BigInt(-decimal.exponent));
  return decimal.negative ? -whole : whole;
}

/** The nearest double. */
export function toDouble(decimal: Decimal): number {
  if (decimal.kind === "nan") return Number.NaN;
  const magnitude =
    decimal.kind === "infinity" ? Number.POSITIVE_INFINITY : Number(`${decimal.coefficient}e${decimal.exponent}`);
  return decimal.negative ? -magnitude : magnitude;
}

export function finite(negative: boolean, coefficient: bigint, exponent: number): FiniteDecimal {
  return { kind: "finite", negative, coefficient, exponent };
}

/** Mantissa and power of two of a positive double. */
export function parts(magnitude: number): { readonly mantissa: bigint; readonly power: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, magnitude);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & 0xf_ffff_ffff_ffffn;
  return biased === 0
    ? { mantissa: fraction, power: -1074 }
    : { mantissa: fraction | (1n << 52n), power: biased - 1075 };
}

function scaled(decimal: FiniteDecimal, exponent: number): bigint {
  const magnitude = decimal.coefficient === 0n ? 0n : decimal.coefficient * 10n ** BigInt(decimal.exponent - exponent);
  return decimal.negative ? -magnitude : magnitude;
}

function rounded(coefficient: bigint, exponent: number): { coefficient: bigint; exponent: number } {
  const excess = coefficient <= coefficientMax ? 0 : String(coefficient).length - 34;
  if (excess <= 0) return { coefficient, exponent };
  return rounded(divideHalfEven(coefficient, 10n ** BigInt(excess)), exponent + excess);
}

function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend - quotient * divisor) * 2n;
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

function encoded(high: bigint, low: bigint): Value {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, low, true);
  view.setBigUint64(8, high, true);
  return new Value(bsonType.decimal, bytes);
}
