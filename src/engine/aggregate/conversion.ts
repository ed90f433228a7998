import type { EngineError } from "../engine-error.ts";
import { decimalOf, decimalValue, parseDecimal, toDouble, truncateDecimal } from "../bson/decimal.ts";
import { isTruthy, toDecimal, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import {
  boolOf,
  boolValue,
  dateValue,
  doubleValue,
  int32Value,
  int64Of,
  int64Value,
  numberOf,
  stringValue,
  textOf,
  Value,
} from "../bson/value.ts";
import { dateMsOf } from "./dates/date-value.ts";
import { parseDate } from "./dates/free-text.ts";
import { conversionFailure } from "./dates/parse.ts";
import { textForm } from "./text.ts";

/** A value as another type (manual, "$convert"). Throws 241 ConversionFailure for what cannot be converted. */
export function convert(value: Value, type: number, name: string): Value {
  if (value.type === type) return value;
  const result = conversions[type]?.(value, name);
  if (result === undefined)
    throw conversionFailure(
      `Unsupported conversion from ${typeName(value.type)} to ${typeName(type)} in ${name} with no onError value`,
    );
  return result;
}

const conversions: Readonly<Record<number, (value: Value, name: string) => Value | undefined>> = {
  [bsonType.bool]: (value) => boolValue(isTruthy(value)),
  [bsonType.int]: (value, name) => {
    if (value.type === bsonType.date) return undefined;
    const whole = wholeOf(value, name);
    if (whole === undefined) return undefined;
    if (whole < -2_147_483_648n || whole > 2_147_483_647n) throw overflow(value, name);
    return int32Value(Number(whole));
  },
  [bsonType.long]: (value, name) => {
    const whole = value.type === bsonType.date ? int64Of(value) : wholeOf(value, name);
    if (whole === undefined) return undefined;
    if (whole < -(2n ** 63n) || whole >= 2n ** 63n) throw overflow(value, name);
    return int64Value(whole);
  },
  [bsonType.double]: (value, name) => {
    if (value.type === bsonType.bool) return doubleValue(boolOf(value) ? 1 : 0);
    if (value.type === bsonType.date) return doubleValue(Number(int64Of(value)));
    if (value.type === bsonType.string) return doubleValue(doubleOf(textOf(value), name));
    if (!isNumberType(value.type)) return undefined;
    const number = toNumber(value);
    if (value.type === bsonType.decimal && !Number.isFinite(number) && decimalOf(value).kind === "finite")
      throw overflow(value, name);
    return doubleValue(number);
  },
  [bsonType.decimal]: (value, name) => {
    if (value.type === bsonType.bool) return decimalValue(toDecimal(int32Value(boolOf(value) ? 1 : 0)));
    if (value.type === bsonType.date) return decimalValue(toDecimal(int64Value(int64Of(value))));
    if (isNumberType(value.type)) return decimalValue(toDecimal(value));
    if (value.type !== bsonType.string) return undefined;
    const text = textOf(value);
    const decimal = /^\s|\s$/.test(text) ? undefined : parseDecimal(text);
    if (decimal === undefined) throw notParsed(text, name);
    const converted = decimalValue(decimal);
    if (decimal.kind === "finite" && decimalOf(converted).kind !== "finite") throw notParsed(text, name);
    return converted;
  },
  [bsonType.date]: (value, name) => {
    if (value.type === bsonType.string) return dateValue(BigInt(parseDate(textOf(value), undefined)));
    if (value.type === bsonType.int) return undefined;
    const whole = isNumberType(value.type) ? wholeOf(value, name) : dateMsOf(value);
    if (whole === undefined) return undefined;
    if (whole < -(2n ** 63n) || whole >= 2n ** 63n) throw overflow(value, name);
    return dateValue(whole);
  },
  [bsonType.objectId]: (value, name) => {
    if (value.type !== bsonType.string) return undefined;
    const text = textOf(value);
    if (!/^[0-9a-f]{24}$/i.test(text)) {
      const why =
        text.length === 24
          ? "Invalid character found in hex string"
          : `Invalid string length for parsing to OID, expected 24 but found ${text.length}`;
      throw conversionFailure(`Failed to parse objectId '${text}' in ${name} with no onError value: ${why}`);
    }
    return new Value(bsonType.objectId, new Uint8Array(Buffer.from(text, "hex")));
  },
  [bsonType.string]: (value) => {
    if (value.type === bsonType.bool) return stringValue(String(boolOf(value)));
    if (value.type === bsonType.objectId) return stringValue(Buffer.from(value.bytes()).toString("hex"));
    if (!isNumberType(value.type) && value.type !== bsonType.date && value.type !== bsonType.symbol) return undefined;
    return stringValue(textForm(value) ?? "");
  },
};

/** A number, boolean or text of digits without its fraction; undefined for other types. */
function wholeOf(value: Value, name: string): bigint | undefined {
  switch (value.type) {
    case bsonType.bool:
      return boolOf(value) ? 1n : 0n;
    case bsonType.int:
      return BigInt(numberOf(value));
    case bsonType.long:
      return int64Of(value);
    case bsonType.double: {
      const number = numberOf(value);
      if (Number.isNaN(number)) throw notFinite("NaN", name);
      if (!Number.isFinite(number)) throw notFinite("infinity", name);
      return BigInt(Math.trunc(number));
    }
    case bsonType.decimal: {
      const decimal = decimalOf(value);
      if (decimal.kind !== "finite") throw notFinite(decimal.kind === "nan" ? "NaN" : "infinity", name);
      const whole = truncateDecimal(decimal);
      if (whole === undefined) throw overflow(value, name);
      return whole;
    }
    case bsonType.string: {
      const text = textOf(value);
      if (!/^[+-]?\d+$/.test(text)) throw notParsed(text, name);
      return BigInt(text.startsWith("+") ? text.slice(1) : text);
    }
    default:
      return undefined;
  }
}

function doubleOf(text: string, name: string): number {
  const decimal = /^\s|\s$/.test(text) ? undefined : parseDecimal(text);
  if (decimal === undefined) throw notParsed(text, name);
  const number = decimal.kind === "finite" ? Number(text) : toDouble(decimal);
  if (decimal.kind === "finite" && !Number.isFinite(number)) throw notParsed(text, name);
  return number;
}

function notParsed(text: string, name: string): EngineError {
  return conversionFailure(`Failed to parse number '${text}' in ${name} with no onError value`);
}

function notFinite(what: string, name: string): EngineError {
  return conversionFailure(`Attempt to convert ${what} value to integer type in ${name} with no onError value`);
}

function overflow(value: Value, name: string): EngineError {
  return conversionFailure(
    `Conversion would overflow target type in ${name} with no onError value: ${textForm(value) ?? ""}`,
  );
}
