import { EngineError, failedToParse } from "../../engine-error.ts";
import { bsonType, typeNumbersByAlias } from "../../bson/types.ts";
import { toNumber } from "../../bson/numbers.ts";
import { boolValue, nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import { convert } from "../conversion.ts";
import {
  countedArguments,
  type ExpressionOperator,
  isNullish,
  isNumber,
  namedArguments,
  typeOf,
  unary,
} from "./operator.ts";

export const $type: ExpressionOperator = unary((value) => stringValue(typeOf(value)));

export const $isNumber: ExpressionOperator = unary((value) => boolValue(isNumber(value)));

/** `{input, to, onError, onNull}`. */
export const $convert: ExpressionOperator = (argument, place) => {
  if (argument.type !== bsonType.object)
    throw failedToParse(`$convert expects an object of named arguments but found: ${typeOf(argument)}`);
  const given = namedArguments(
    argument,
    place,
    { required: [], optional: ["input", "to", "onError", "onNull"] },
    { notObject: 9, unknown: 9, missing: 9 },
  );
  for (const required of ["input", "to"])
    if (!given.has(required)) throw failedToParse(`Missing '${required}' parameter to $convert`);
  const parts = new Map(Array.from(given, ([name, value]) => [name, place.compile(value)]));
  const [input, to] = [parts.get("input") as Expression, parts.get("to") as Expression];
  const [onError, onNull] = [parts.get("onError"), parts.get("onNull")];
  return (root) => {
    const value = input(root);
    const target = to(root);
    if (isNullish(value)) return onNull === undefined ? nullValue : onNull(root);
    if (isNullish(target)) return nullValue;
    const type = targetType(target as Value);
    try {
      return convert(value as Value, type, "$convert");
    } catch (error) {
      if (onError === undefined || !(error instanceof EngineError) || error.code !== 241) throw error;
      return onError(root);
    }
  };
};

/** A type by its name or number. */
function targetType(value: Value): number {
  if (value.type === bsonType.string) {
    const name = textOf(value);
    const type = Object.hasOwn(typeNumbersByAlias, name) ? typeNumbersByAlias[name] : undefined;
    if (type === undefined) throw new EngineError(2, "BadValue", `Unknown type name: ${name}`);
    return type;
  }
  if (!isNumber(value))
    throw failedToParse(`$convert's 'to' argument must be a string or number, but is ${typeOf(value)}`);
  const number = toNumber(value);
  const known = Object.values(typeNumbersByAlias).some((type) => type === number || type - 256 === number);
  if (!Number.isInteger(number) || !known)
    throw failedToParse(`In $convert, numeric value for 'to' does not correspond to a BSON type: ${number}`);
  return number & 0xff;
}

function converting(type: number): ExpressionOperator {
  return (argument, place) => {
    const [input] = countedArguments(argument, place, 1, 1) as [Expression];
    return (root) => {
      const value = input(root);
      return isNullish(value) ? nullValue : convert(value as Value, type, "$convert");
    };
  };
}

export const $toBool: ExpressionOperator = converting(bsonType.bool);
export const $toDate: ExpressionOperator = converting(bsonType.date);
export const $toDecimal: ExpressionOperator = converting(bsonType.decimal);
export const $toDouble: ExpressionOperator = converting(bsonType.double);
export const $toInt: ExpressionOperator = converting(bsonType.int);
export const $toLong: ExpressionOperator = converting(bsonType.long);
export const $toObjectId: ExpressionOperator = converting(bsonType.objectId);
export const $toString: ExpressionOperator = converting(bsonType.string);
