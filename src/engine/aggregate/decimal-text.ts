import type { Decimal } from "../bson/decimal.ts";

/** A decimal's scientific text (General Decimal Arithmetic, "to-scientific-string"), as MongoDB and the drivers write it. */
export function decimalText(decimal: Decimal): string {
  if (decimal.kind === "nan") return "NaN";
  const sign = decimal.negative ? "-" : "";
  if (decimal.kind === "infinity") return `${sign}Infinity`;
  const digits = String(decimal.coefficient);
  const { exponent } = decimal;
  const adjusted = exponent + digits.length - 1;
  if (exponent > 0 || adjusted < -6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits[0] ?? "0"}${fraction}E${adjusted < 0 ? "-" : "+"}${Math.abs(adjusted)}`;
  }
  if (exponent === 0) return sign + digits;
  const point = digits.length + exponent;
  return point > 0
    ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
    : `${sign}0.${"0".repeat(-point)}${digits}`;
}
