import { badValue } from "../engine-error.ts";
import {
  cstringEnd,
  doubleBytes,
  int32Bytes,
  int64Bytes,
  readDouble,
  readInt32,
  readInt64,
  readText,
  textBytes,
  writeInt32,
} from "./bytes.ts";
import { bsonType } from "./types.ts";

/**
 * A value as it stands in its document's bytes: its type and where its bytes are. Nothing is decoded until asked, and what is copied on is copied as
 * bytes, so that type, order and every bit are kept. New values are made with the functions below and look the same.
 */
export class Value {
  readonly type: number;
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;

  constructor(type: number, source: Uint8Array, start: number = 0, end: number = source.length) {
    this.type = type;
    this.source = source;
    this.start = start;
    this.end = end;
  }

  /** The value's bytes, without copying. */
  bytes(): Uint8Array {
    return this.start === 0 && this.end === this.source.length
      ? this.source
      : this.source.subarray(this.start, this.end);
  }
}

const nothing = new Uint8Array(0);

export const nullValue = new Value(bsonType.null, nothing);
export const undefinedValue = new Value(bsonType.undefined, nothing);
export const minKeyValue = new Value(bsonType.minKey, nothing);
export const maxKeyValue = new Value(bsonType.maxKey, nothing);
export const trueValue = new Value(bsonType.bool, Uint8Array.of(1));
export const falseValue = new Value(bsonType.bool, Uint8Array.of(0));

export function boolValue(value: boolean): Value {
  return value ? trueValue : falseValue;
}

export function int32Value(value: number): Value {
  return new Value(bsonType.int, int32Bytes(value));
}

export function int64Value(value: bigint): Value {
  return new Value(bsonType.long, int64Bytes(value));
}

/** A whole number as figures are told: int32 where it fits, else int64. Tools that take apart what they are told expect that. */
export function figureValue(value: number): Value {
  return value >= -2_147_483_648 && value <= 2_147_483_647 ? int32Value(value) : int64Value(BigInt(value));
}

export function doubleValue(value: number): Value {
  return new Value(bsonType.double, doubleBytes(value));
}

export function dateValue(timeMs: bigint): Value {
  return new Value(bsonType.date, int64Bytes(timeMs));
}

export function timestampValue(seconds: number, increment: number): Value {
  const bytes = new Uint8Array(8);
  writeInt32(bytes, 0, increment);
  writeInt32(bytes, 4, seconds);
  return new Value(bsonType.timestamp, bytes);
}

export function stringValue(text: string): Value {
  const content = textBytes(text);
  const bytes = new Uint8Array(content.length + 5);
  writeInt32(bytes, 0, content.length + 1);
  bytes.set(content, 4);
  return new Value(bsonType.string, bytes);
}

/** Binary data of the generic subtype. */
export function binaryValue(content: Uint8Array): Value {
  const bytes = new Uint8Array(content.length + 5);
  writeInt32(bytes, 0, content.length);
  bytes.set(content, 5);
  return new Value(bsonType.binData, bytes);
}

/** Bytes of binary data, whatever their subtype. */
export function binaryOf(value: Value): Uint8Array {
  return value.source.subarray(value.start + 5, value.end);
}

/** A whole document as a value. */
export function documentValue(document: Uint8Array): Value {
  return new Value(bsonType.object, document);
}

/** Text of a string, symbol or code. */
export function textOf(value: Value): string {
  return readText(value.source, value.start + 4, value.end - 1);
}

/** Number of a double, int32 or int64 as a double; int64 may lose digits. Decimals are not for this. */
export function numberOf(value: Value): number {
  if (value.type === bsonType.int) return readInt32(value.source, value.start);
  if (value.type === bsonType.double) return readDouble(value.source, value.start);
  return Number(readInt64(value.source, value.start));
}

export function int64Of(value: Value): bigint {
  return readInt64(value.source, value.start);
}

export function boolOf(value: Value): boolean {
  return value.source[value.start] !== 0;
}

/** Pattern and options of a regular expression. */
export function regexOf(value: Value): { readonly pattern: string; readonly options: string } {
  const patternEnd = cstringEnd(value.source, value.start, value.end);
  return {
    pattern: readText(value.source, value.start, patternEnd),
    options: readText(value.source, patternEnd + 1, value.end - 1),
  };
}

/** A whole number given as any number type, or undefined. */
export function wholeNumberOf(value: Value): number | undefined {
  if (value.type !== bsonType.int && value.type !== bsonType.long && value.type !== bsonType.double) return undefined;
  const number = numberOf(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Bytes the value of a type takes at `offset`. Throws 2 BadValue on an unknown type; the bytes must have been validated. */
export function valueLength(type: number, bytes: Uint8Array, offset: number): number {
  switch (type) {
    case bsonType.int:
      return 4;
    case bsonType.double:
    case bsonType.date:
    case bsonType.long:
    case bsonType.timestamp:
      return 8;
    case bsonType.string:
    case bsonType.javascript:
    case bsonType.symbol:
      return 4 + readInt32(bytes, offset);
    case bsonType.object:
    case bsonType.array:
    case bsonType.javascriptWithScope:
      return readInt32(bytes, offset);
    case bsonType.binData:
      return 5 + readInt32(bytes, offset);
    case bsonType.objectId:
      return 12;
    case bsonType.bool:
      return 1;
    case bsonType.null:
    case bsonType.undefined:
    case bsonType.minKey:
    case bsonType.maxKey:
      return 0;
    case bsonType.regex: {
      const patternEnd = cstringEnd(bytes, offset, bytes.length);
      return cstringEnd(bytes, patternEnd + 1, bytes.length) + 1 - offset;
    }
    case bsonType.dbPointer:
      return 4 + readInt32(bytes, offset) + 12;
    case bsonType.decimal:
      return 16;
    default:
      throw badValue(`unknown BSON type ${type}`);
  }
}
