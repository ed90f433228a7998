import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { compareNumbers, isTruthy, toDecimal, toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { comparing, type Keyword, type KeywordPlace, type Rule } from "./rule.ts";

/** Keywords about numbers; values that are none pass. */
export const minimum: Keyword = (argument, place) =>
  limit("minimum", "exclusiveMinimum", argument, place, (order, exclusive) => (exclusive ? order > 0 : order >= 0));
export const maximum: Keyword = (argument, place) =>
  limit("maximum", "exclusiveMaximum", argument, place, (order, exclusive) => (exclusive ? order < 0 : order <= 0));
export const exclusiveMinimum: Keyword = (argument, place) => modifier("exclusiveMinimum", "minimum", argument, place);
export const exclusiveMaximum: Keyword = (argument, place) => modifier("exclusiveMaximum", "maximum", argument, place);

export const multipleOf: Keyword = (argument) => {
  requireNumber("multipleOf", argument);
  if (!(toNumber(argument) > 0)) throw failedToParse("$jsonSchema keyword 'multipleOf' must have a positive value");
  return comparing(
    "multipleOf",
    argument,
    "considered value is not a multiple of the specified value",
    (value) => !isNumberType(value.type) || isMultiple(value, argument),
  );
};

function limit(
  keyword: string,
  exclusiveKeyword: string,
  argument: Value,
  { siblings }: KeywordPlace,
  accepts: (order: number, exclusive: boolean) => boolean,
): Rule {
  requireNumber(keyword, argument);
  const sibling = siblings.get(exclusiveKeyword);
  const exclusive = sibling !== undefined && isTruthy(sibling);
  return comparing(
    keyword,
    argument,
    "comparison failed",
    (value) => !isNumberType(value.type) || accepts(compareNumbers(value, argument), exclusive),
    () => (sibling === undefined ? [] : [[exclusiveKeyword, sibling]]),
  );
}

/** Changes what its sibling means, and nothing alone. */
function modifier(keyword: string, about: string, argument: Value, { siblings }: KeywordPlace): Rule {
  if (argument.type !== bsonType.bool)
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a boolean, but it is ${typeName(argument.type)}`);
  if (!siblings.has(about))
    throw failedToParse(`$jsonSchema keyword '${about}' must be a present if ${keyword} is present`);
  return { holds: () => true, explain: () => argument };
}

function requireNumber(keyword: string, argument: Value): void {
  if (!isNumberType(argument.type))
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number, but it is ${typeName(argument.type)}`);
}

/** By decimal digits: a double stands for the decimal that it is written as. */
function isMultiple(value: Value, divisor: Value): boolean {
  const [one, other] = [toDecimal(value), toDecimal(divisor)];
  if (one.kind !== "finite" || other.kind !== "finite") return false;
  const exponent = Math.min(one.exponent, other.exponent);
  const whole = ({ coefficient, exponent: own }: typeof one): bigint => coefficient * 10n ** BigInt(own - exponent);
  return whole(one) % whole(other) === 0n;
}
