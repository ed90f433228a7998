import { type Decimal, finite, toDouble } from "../bson/decimal.ts";

/*
 * Functions of decimals to the 34 digits a decimal128 has, by whole numbers that stand for 10^-64ths. Series are cut where their terms vanish; arguments are brought
 * near to zero before, so that some fifty terms do.
 */
const digits = 64;
const one = 10n ** BigInt(digits);
const ln10Text = "2302585092994045684017991454684364207601101488628772976033327900967572609677352480235997205";
const piText = "3141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825";
const scaledConstant = (text: string, scale: number): bigint => BigInt(text) / 10n ** BigInt(text.length - 1 - scale);
const ln10 = scaledConstant(ln10Text, digits);
const pi = scaledConstant(piText, digits);

const multiply = (left: bigint, right: bigint): bigint => (left * right) / one;
const divide = (left: bigint, right: bigint): bigint => (left * one) / right;
const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

function squareRoot(value: bigint): bigint {
  return integerRoot(value * one);
}

function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Sum of a series whose terms are each made of the one before. */
function series(first: bigint, next: (term: bigint, index: number) => bigint): bigint {
  let sum = first;
  let term = first;
  for (let index = 1; term !== 0n; index += 1) {
    term = next(term, index);
    sum += term;
  }
  return sum;
}

/** e to a small power. */
function smallExponential(value: bigint): bigint {
  const part = value / 256n;
  let result = series(one, (term, index) => multiply(term, part) / BigInt(index));
  for (let count = 0; count < 8; count += 1) result = multiply(result, result);
  return result;
}

/** Natural logarithm of a value from 1 to 10. */
function smallLogarithm(value: bigint): bigint {
  let result = BigInt(Math.round(Math.log(Number(value / 10n ** 44n) / 1e20) * 1e15)) * 10n ** BigInt(digits - 15);
  for (let count = 0; count < 3; count += 1) {
    const power = smallExponential(result);
    result += divide(2n * (value - power), value + power);
  }
  return result;
}

function sineOf(value: bigint): bigint {
  const square = multiply(value, value);
  return series(value, (term, index) => -multiply(term, square) / BigInt(2 * index * (2 * index + 1)));
}

function arctangentOf(value: bigint): bigint {
  if (value < 0n) return -arctangentOf(-value);
  if (value > one) return pi / 2n - arctangentOf(divide(one, value));
  let part = value;
  for (let count = 0; count < 3; count += 1) part = divide(part, one + squareRoot(one + multiply(part, part)));
  const square = multiply(part, part);
  let sum = part;
  let power = part;
  for (let index = 3n; power !== 0n; index += 2n) {
    power = -multiply(power, square);
    sum += power / index;
  }
  return sum * 8n;
}

type Finite = Extract<Decimal, { kind: "finite" }>;

function fixed({ negative, coefficient, exponent }: Finite): bigint {
  const shift = exponent + digits;
  const size = shift >= 0 ? coefficient * 10n ** BigInt(shift) : coefficient / 10n ** BigInt(Math.min(-shift, 7000));
  return negative ? -size : size;
}

/** A decimal without zeros at its end. */
function decimal(value: bigint, exponent: number = -digits): Decimal {
  let coefficient = absolute(value);
  let power = exponent;
  // What lies behind 45 digits is the rounding of the steps.
  const excess = String(coefficient).length - 45;
  if (excess > 0) {
    coefficient = (coefficient + 10n ** BigInt(excess) / 2n) / 10n ** BigInt(excess);
    power += excess;
  }
  while (coefficient !== 0n && coefficient % 10n === 0n) {
    coefficient /= 10n;
    power += 1;
  }
  return finite(value < 0n, coefficient, coefficient === 0n ? 0 : power);
}

const nan: Decimal = { kind: "nan" };
const infinity = (negative: boolean): Decimal => ({ kind: "infinity", negative });
export const piDecimal: Decimal = decimal(pi);

export function exponential(value: Decimal): Decimal {
  if (value.kind === "nan") return nan;
  if (value.kind === "infinity") return value.negative ? decimal(0n) : value;
  const approximate = toDouble(value);
  if (approximate > 15_000) return infinity(false);
  if (approximate < -15_000) return decimal(0n);
  const powers = Math.round(approximate / Math.LN10);
  // More digits of the logarithm, since it is taken many times.
  const wide = scaledConstant(ln10Text, digits + 8) * BigInt(powers);
  const rest = fixed(value) - wide / 10n ** 8n;
  return decimal(smallExponential(rest), powers - digits);
}

/** Natural logarithm of a positive decimal. */
export function logarithm(value: Decimal): Decimal {
  if (value.kind !== "finite") return value;
  const text = String(value.coefficient);
  const mantissa = value.coefficient * 10n ** BigInt(digits - text.length + 1);
  return decimal(smallLogarithm(mantissa) + ln10 * BigInt(value.exponent + text.length - 1));
}

export function logarithm10(value: Decimal): Decimal {
  if (value.kind !== "finite") return value;
  const text = String(value.coefficient);
  const power = value.exponent + text.length - 1;
  if (/^10*$/.test(text)) return decimal(BigInt(power) * one);
  const mantissa = value.coefficient * 10n ** BigInt(digits - text.length + 1);
  return decimal(divide(smallLogarithm(mantissa), ln10) + BigInt(power) * one);
}

export function rootOf(value: Decimal): Decimal {
  if (value.kind !== "finite") return value;
  const odd = Math.abs(value.exponent) % 2;
  const coefficient = value.coefficient * 10n ** BigInt(80 + odd);
  return decimal(integerRoot(coefficient), (value.exponent - 80 - odd) / 2);
}

/** One decimal to the power of another. */
export function power(base: Decimal, exponent: Decimal): Decimal {
  if (base.kind === "nan" || exponent.kind === "nan") return nan;
  if (exponent.kind === "finite" && exponent.coefficient === 0n) return decimal(one);
  const whole = exponent.kind === "finite" ? wholeNumber(exponent) : undefined;
  if (base.kind === "finite" && whole !== undefined && absolute(whole) <= 400n && base.coefficient !== 0n) {
    const size = finite(
      base.negative && whole % 2n !== 0n,
      base.coefficient ** absolute(whole),
      base.exponent * Number(absolute(whole)),
    );
    return whole >= 0n ? size : reciprocal(size);
  }
  if (base.kind !== "finite" || exponent.kind !== "finite" || base.coefficient === 0n) return byDoubles(base, exponent);
  if (base.negative && whole === undefined) return nan;
  const log = logarithm({ ...base, negative: false }) as Finite;
  const product = decimal(log.coefficient * exponent.coefficient, log.exponent + exponent.exponent) as Finite;
  const result = exponential({ ...product, negative: log.negative !== exponent.negative });
  return base.negative && whole !== undefined && whole % 2n !== 0n && result.kind !== "nan"
    ? { ...result, negative: true }
    : result;
}

function reciprocal(value: Finite): Decimal {
  const scale = digits + String(value.coefficient).length;
  return decimal((value.negative ? -1n : 1n) * (10n ** BigInt(scale) / value.coefficient), -scale - value.exponent);
}

function wholeNumber({ negative, coefficient, exponent }: Finite): bigint | undefined {
  if (exponent > 20) return undefined;
  const scale = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && coefficient % scale !== 0n) return undefined;
  const size = exponent < 0 ? coefficient / scale : coefficient * scale;
  return negative ? -size : size;
}

/** Infinities and zeros, whose results are the same for doubles. */
function byDoubles(base: Decimal, exponent: Decimal): Decimal {
  const result = toDouble(base) ** toDouble(exponent);
  if (Number.isNaN(result)) return nan;
  if (!Number.isFinite(result)) return infinity(result < 0);
  return decimal(BigInt(Math.round(result)) * one);
}

/** A function of angles: the argument is taken within one turn. */
function ofAngle(compute: (angle: bigint) => Decimal): (value: Decimal) => Decimal {
  return (value) => {
    if (value.kind !== "finite" || toDouble(value) > 1e15 || toDouble(value) < -1e15) return nan;
    const wide = scaledConstant(piText, digits + 16) * 2n;
    return compute((fixed({ ...value, exponent: value.exponent + 16 }) % wide) / 10n ** 16n);
  };
}

const cosineOf = (angle: bigint): bigint => sineOf(angle + pi / 2n);

export const sine = ofAngle((angle) => rounded(sineOf(angle)));
export const cosine = ofAngle((angle) => rounded(cosineOf(angle)));
export const tangent = ofAngle((angle) => rounded(divide(sineOf(angle), cosineOf(angle))));

/** Sums near zero are zero but for the last digits, which are the steps' rounding. */
function rounded(value: bigint): Decimal {
  return decimal(absolute(value) < 10n ** 10n ? 0n : value);
}

export function arcsine(value: Decimal): Decimal {
  if (value.kind !== "finite") return nan;
  const size = fixed(value);
  const other = squareRoot(one - multiply(size, size));
  if (other === 0n) return decimal(size < 0n ? -pi / 2n : pi / 2n);
  return decimal(arctangentOf(divide(size, other)));
}

export function arccosine(value: Decimal): Decimal {
  if (value.kind !== "finite") return nan;
  const size = fixed(value);
  const other = squareRoot(one - multiply(size, size));
  if (size === 0n) return decimal(pi / 2n);
  const angle = arctangentOf(divide(other, size));
  return rounded(size < 0n ? pi + angle : angle);
}

export function arctangent(value: Decimal): Decimal {
  if (value.kind === "nan") return nan;
  if (value.kind === "infinity") return decimal(value.negative ? -pi / 2n : pi / 2n);
  return decimal(arctangentOf(fixed(value)));
}

export function arctangent2(ordinate: Decimal, abscissa: Decimal): Decimal {
  if (ordinate.kind !== "finite" || abscissa.kind !== "finite") return byAngle(ordinate, abscissa);
  const [y, x] = [fixed(ordinate), fixed(abscissa)];
  if (x === 0n) return decimal(y === 0n ? 0n : y < 0n ? -pi / 2n : pi / 2n);
  const angle = arctangentOf(divide(y, x));
  if (x > 0n) return decimal(angle);
  return decimal(y < 0n ? angle - pi : angle + pi);
}

function byAngle(ordinate: Decimal, abscissa: Decimal): Decimal {
  const quarters = Math.atan2(toDouble(ordinate), toDouble(abscissa)) / (Math.PI / 4);
  return Number.isNaN(quarters) ? nan : decimal((pi * BigInt(Math.round(quarters))) / 4n);
}

/** Half the sum (`sign` 1) or difference (-1) of the powers of e. */
function hyperbolic(value: Decimal, sign: 1n | -1n): Decimal {
  if (value.kind !== "finite") return value.kind === "infinity" && sign === 1n ? infinity(false) : value;
  const [up, down] = [exponential(value), exponential({ ...value, negative: !value.negative })];
  if (up.kind !== "finite" || down.kind !== "finite") return infinity(sign === -1n && value.negative);
  const exponent = Math.min(up.exponent, down.exponent, -digits);
  const scaled = (part: Finite): bigint => part.coefficient * 10n ** BigInt(part.exponent - exponent);
  return decimal((scaled(up) + sign * scaled(down)) / 2n, exponent);
}

export const hyperbolicSine = (value: Decimal): Decimal => hyperbolic(value, -1n);
export const hyperbolicCosine = (value: Decimal): Decimal => hyperbolic(value, 1n);

export function hyperbolicTangent(value: Decimal): Decimal {
  if (value.kind === "nan") return nan;
  if (value.kind === "infinity" || Math.abs(toDouble(value)) > 90) return decimal(value.negative ? -one : one);
  const double = smallExponential((fixed(value) * 2n) / 256n);
  let up = double;
  for (let count = 0; count < 8; count += 1) up = multiply(up, up);
  return decimal(divide(up - one, up + one));
}

export function inverseHyperbolicSine(value: Decimal): Decimal {
  if (value.kind !== "finite") return value;
  const size = absolute(fixed(value));
  const result = logarithm(decimal(size + squareRoot(multiply(size, size) + one)));
  return result.kind === "finite" && value.negative ? { ...result, negative: true } : result;
}

export function inverseHyperbolicCosine(value: Decimal): Decimal {
  if (value.kind !== "finite") return value;
  const size = fixed(value);
  return logarithm(decimal(size + squareRoot(multiply(size, size) - one)));
}

export function inverseHyperbolicTangent(value: Decimal): Decimal {
  if (value.kind !== "finite") return nan;
  const size = fixed(value);
  if (absolute(size) === one) return infinity(size < 0n);
  const result = logarithm(decimal(divide(one + size, one - size)));
  return result.kind === "finite" ? decimal(fixed(result) / 2n) : result;
}
