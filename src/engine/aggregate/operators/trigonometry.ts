import { located } from "../../engine-error.ts";
import { decimalValue, divideDecimals, exactDecimal, multiplyDecimals } from "../../bson/decimal.ts";
import { toDecimal, toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, nullValue, type Value } from "../../bson/value.ts";
import * as decimals from "../decimal-functions.ts";
import { type Domain, ofNumber } from "./number-function.ts";
import { binary, type ExpressionOperator, isNullish, typeOf } from "./operator.ts";

/** Values between two bounds. Throws 50989 for others. */
function within(least: number, most: number): Domain {
  return {
    accepts: (value) => value >= least && value <= most,
    refuse: (name, shown) => located(50_989, `cannot apply ${name} to ${shown}, value must be in [${least},${most}]`),
  };
}

/** The turn itself has no sine or cosine at infinity. */
const finite = within(-Number.MAX_VALUE, Number.MAX_VALUE);
const unit = within(-1, 1);

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
export const $acosh: ExpressionOperator = ofNumber(
  Math.acosh,
  decimals.inverseHyperbolicCosine,
  within(1, Number.POSITIVE_INFINITY),
);
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
