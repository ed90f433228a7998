import { located } from "../../engine-error.ts";
import { type Decimal, decimalValue, divideDecimals, exactDecimal, multiplyDecimals } from "../../bson/decimal.ts";
import { toDecimal, toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, nullValue, type Value } from "../../bson/value.ts";
import * as decimals from "../decimal-functions.ts";
import { binary, type ExpressionOperator, isNullish, shownNumber, typeOf, unary } from "./operator.ts";

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** A function of one number: a double of doubles and whole numbers, a decimal of decimals. */
function ofNumber(
  compute: (value: number) => number,
  computeDecimal: (value: Decimal) => Decimal,
  bounds?: Bounds,
): ExpressionOperator {
  return unary((value, { name }) => {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (!isNumberType(given.type)) throw located(28_765, `${name} only supports numeric types, not ${typeOf(given)}`);
    const number = toNumber(given);
    if (bounds !== undefined && (number < bounds.least || number > bounds.most))
      throw located(
        50_989,
        `cannot apply ${name} to ${shownNumber(given)}, value must be in [${bounds.least},${bounds.most}]`,
      );
    if (given.type === bsonType.decimal) return decimalValue(computeDecimal(toDecimal(given)));
    return doubleValue(compute(number));
  });
}

/** The turn itself has no sine or cosine at infinity. */
const finite: Bounds = { least: -Number.MAX_VALUE, most: Number.MAX_VALUE };
const unit: Bounds = { least: -1, most: 1 };

export const $sin: ExpressionOperator = ofNumber(Math.sin, decimals.sine, finite);
export const $cos: ExpressionOperator = ofNumber(Math.cos, decimals.cosine, finite);
export const $tan: ExpressionOperator = ofNumber(Math.tan, decimals.tangent, finite);
export const $asin: ExpressionOperator = ofNumber(Math.asin, decimals.arcsine, unit);
export const $acos: ExpressionOperator = ofNumber(Math.acos, decimals.arccosine, unit);
export const $atan: ExpressionOperator = ofNumber(Math.atan, decimals.arctangent);
export const $sinh: ExpressionOperator = ofNumber(Math.sinh, decimals.hyperbolicSine);
export const $cosh: ExpressionOperator = ofNumber(Math.cosh, decimals.hyperbolicCosine);
export const $tanh: ExpressionOperator = ofNumber(Math.tanh, decimals.hyperbolicTangent);
export const $asinh: ExpressionOperator = ofNumber(Math.asinh, decimals.inverseHyperbolicSine);
export const $acosh: ExpressionOperator = ofNumber(Math.acosh, decimals.inverseHyperbolicCosine, {
  least: 1,
  most: Number.POSITIVE_INFINITY,
});
export const $atanh: ExpressionOperator = ofNumber(Math.atanh, decimals.inverseHyperbolicTangent, unit);

export const $atan2: ExpressionOperator = binary((one, other, { name }) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [ordinate, abscissa] = [one as Value, other as Value];
  if (!isNumberType(ordinate.type) || !isNumberType(abscissa.type))
    throw located(51_044, `${name} only supports numeric types, not ${typeOf(ordinate)} and ${typeOf(abscissa)}`);
  if (ordinate.type === bsonType.decimal || abscissa.type === bsonType.decimal)
    return decimalValue(decimals.arctangent2(toDecimal(ordinate), toDecimal(abscissa)));
  return doubleValue(Math.atan2(toNumber(ordinate), toNumber(abscissa)));
});

const halfTurn = exactDecimal(180n);

export const $degreesToRadians: ExpressionOperator = ofNumber(
  (degrees) => degrees * (Math.PI / 180),
  (degrees) => multiplyDecimals(degrees, divideDecimals(decimals.piDecimal, halfTurn)),
);

export const $radiansToDegrees: ExpressionOperator = ofNumber(
  (radians) => radians * (180 / Math.PI),
  (radians) => multiplyDecimals(radians, divideDecimals(halfTurn, decimals.piDecimal)),
);
