import { compareFinite, type Decimal, finite, type FiniteDecimal } from "../bson/decimal.ts";

export function negatedDecimal(decimal: Decimal): Decimal {
  return decimal.kind === "nan" ? decimal : { ...decimal, negative: !decimal.negative };
}

export function absoluteDecimal(decimal: Decimal): Decimal {
  return decimal.kind === "nan" ? decimal : { ...decimal, negative: false };
}

/** How what lies between two representable numbers is decided; `even` is half to even. */
export type RoundingMode = "ceil" | "floor" | "trunc" | "even";

/** The decimal with so many digits behind the point; negative places round before it. */
export function roundDecimal(decimal: Decimal, places: number, mode: RoundingMode): Decimal {
  if (decimal.kind !== "finite" || decimal.exponent >= -places) return decimal;
  const divisor = 10n ** BigInt(Math.min(-places - decimal.exponent, 7000));
  const quotient = decimal.coefficient / divisor;
  const rest = decimal.coefficient % divisor;
  const up =
    rest !== 0n &&
    (mode === "ceil"
      ? !decimal.negative
      : mode === "floor"
        ? decimal.negative
        : mode === "even" && (rest * 2n > divisor || (rest * 2n === divisor && quotient % 2n === 1n)));
  return finite(decimal.negative, up ? quotient + 1n : quotient, -places);
}

/** The decimal with zeros added up to so many digits behind the point, as far as 34 digits go. */
export function paddedDecimal(decimal: Decimal, places: number): Decimal {
  if (decimal.kind !== "finite" || decimal.exponent <= -places) return decimal;
  const spare = decimal.coefficient === 0n ? places : 34 - String(decimal.coefficient).length;
  const zeros = Math.min(decimal.exponent + places, Math.max(0, spare));
  return finite(decimal.negative, decimal.coefficient * 10n ** BigInt(zeros), decimal.exponent - zeros);
}

/** What is left over of a division that gives a whole number, with the sign of the dividend. */
export function remainderOfDecimals(one: Decimal, other: Decimal): Decimal {
  if (one.kind !== "finite" || other.kind === "nan") return { kind: "nan" };
  if (other.kind === "infinity") return one;
  if (compareFinite({ ...one, negative: false }, { ...other, negative: false }) < 0) return one;
  const exponent = Math.min(one.exponent, other.exponent);
  const scale = (decimal: FiniteDecimal): bigint => decimal.coefficient * 10n ** BigInt(decimal.exponent - exponent);
  return finite(one.negative, scale(one) % scale(other), exponent);
}
