import { EngineError, failedToParse } from "../../engine-error.ts";
import { bsonType, typeNumbersByAlias } from "../../bson/types.ts";
import { toNumber } from "../../bson/numbers.ts";
import { fieldsOfValue, getField } from "../../bson/walk.ts";
import { boolValue, nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import { binaryFormat, type BinaryFormat, binaryOfText, sameSubtype, textOfBinary } from "../binary-text.ts";
import { convert } from "../conversion.ts";
import { countedArguments, type ExpressionOperator, isNullish, isNumber, typeOf, unary } from "./operator.ts";

export const $type: ExpressionOperator = unary((value) => stringValue(typeOf(value)));

export const $isNumber: ExpressionOperator = unary((value) => boolValue(isNumber(value)));

/** `{input, to, format, onError, onNull}`; `to` is a type, or `{type, subtype}`. */
export const $convert: ExpressionOperator = (argument, place) => {
  if (argument.type !== bsonType.object)
    throw failedToParse(`$convert expects an object of named arguments but found: ${typeOf(argument)}`);
  const given = new Map(Array.from(fieldsOfValue(argument), ({ name, value }) => [name, value]));
  for (const name of given.keys())
    if (!["input", "to", "format", "onError", "onNull"].includes(name))
      throw failedToParse(`$convert found an unknown argument: ${name}`);
  for (const required of ["input", "to"])
    if (!given.has(required)) throw failedToParse(`Missing '${required}' parameter to $convert`);
  const parts = new Map(Array.from(given, ([name, value]) => [name, place.compile(value)]));
  const [input, to] = [parts.get("input") as Expression, parts.get("to") as Expression];
  const [onError, onNull, format] = [parts.get("onError"), parts.get("onNull"), parts.get("format")];
  return (root) => {
    const value = input(root);
    const target = to(root);
    if (isNullish(value)) return onNull === undefined ? nullValue : onNull(root);
    if (isNullish(target)) return nullValue;
    const wanted = target as Value;
    const isObject = wanted.type === bsonType.object;
    const named = isObject ? getField(wanted.bytes(), "type") : wanted;
    if (isNullish(named)) return nullValue;
    const type = targetType(named as Value);
    const subtype = subtypeOf(isObject ? getField(wanted.bytes(), "subtype") : undefined);
    const way = format?.(root);
    try {
      if (format !== undefined && isNullish(way)) return nullValue;
      return converted(value as Value, type, subtype, way === undefined ? undefined : binaryFormat(way));
    } catch (error) {
      if (onError === undefined || !(error instanceof EngineError) || error.code !== 241) throw error;
      return onError(root);
    }
  };
};

function converted(value: Value, type: number, subtype: number, format: BinaryFormat | undefined): Value {
  if (type === bsonType.binData && value.type === bsonType.string) return binaryOfText(textOf(value), format, subtype);
  if (type === bsonType.binData && value.type === bsonType.binData) return sameSubtype(value, subtype);
  if (type === bsonType.string && value.type === bsonType.binData) return textOfBinary(value, format);
  return convert(value, type, "$convert");
}

/** Of binary data; 0 when none is given. Throws 9 for what is none. */
function subtypeOf(value: Value | undefined): number {
  if (value === undefined || isNullish(value)) return 0;
  const number = isNumber(value) ? toNumber(value) : Number.NaN;
  if (!Number.isInteger(number) || number < 0 || number > 255 || (number > 9 && number < 128))
    throw failedToParse(`In $convert, numeric value for 'subtype' does not correspond to a BinData subtype: ${number}`);
  return number;
}

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

/** A text as UUIDs are written, as binary data of that subtype. */
export const $toUUID: ExpressionOperator = (argument, place) => {
  const [input] = countedArguments(argument, place, 1, 1) as [Expression];
  return (root) => {
    const value = input(root);
    return isNullish(value) ? nullValue : converted(value as Value, bsonType.binData, 4, "uuid");
  };
};
