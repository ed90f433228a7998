import { createHash, type Hash } from "node:crypto";
import { readInt32, textBytes } from "../../bson/bytes.ts";
import { decimalOf, roundDecimal } from "../../bson/decimal.ts";
import { truncated, wide } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeOrder } from "../../bson/types.ts";
import { int64Value, nullValue, numberOf, type Value } from "../../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../../bson/walk.ts";
import { type ExpressionOperator, unary } from "./operator.ts";

/**
 * The key that MongoDB gives a value in a hashed index (manual, "$toHashedIndexKey"): 8 bytes of an MD5 of the type's place and the value, numbers as whole ones. Our
 * own hashed indexes have other keys, which nobody sees.
 */
export const $toHashedIndexKey: ExpressionOperator = unary((value) => {
  const hash = createHash("md5").update(int32(0));
  addValue(hash, value ?? nullValue, undefined);
  return int64Value(hash.digest().readBigInt64LE(0));
});

/** `name`: of a value within another. */
function addValue(hash: Hash, value: Value, name: string | undefined): void {
  hash.update(int32(placeOf(value.type)));
  if (name !== undefined) hash.update(textBytes(name)).update(noByte);
  if (isNumberType(value.type)) hash.update(int64(wholeOf(value)));
  else if (value.type === bsonType.object || value.type === bsonType.array) addFields(hash, fieldsOfValue(value));
  else if (value.type === bsonType.javascriptWithScope) {
    const bytes = value.bytes();
    const codeEnd = 8 + readInt32(bytes, 4);
    hash.update(bytes.subarray(8, codeEnd));
    addFields(hash, fieldsOf(bytes.subarray(codeEnd)));
  } else hash.update(value.bytes());
}

function addFields(hash: Hash, fields: ReturnType<typeof fieldsOf>): void {
  for (const field of fields) addValue(hash, field.value, field.name);
  // The end of a document has a place of its own.
  hash.update(int32(0));
}

/** Of a type among types: those of comparisons, counted from undefined on. */
function placeOf(type: number): number {
  return typeOrder(type) - typeOrder(bsonType.undefined);
}

/** Doubles without their fraction and decimals rounded, held to 64 bits. A double of 2^63 is the least number, as it always was. */
function wholeOf(value: Value): bigint {
  if (value.type === bsonType.int || value.type === bsonType.long) return wide(value);
  if (value.type === bsonType.decimal) {
    const decimal = decimalOf(value);
    if (decimal.kind === "nan") return 0n;
    const whole = roundDecimal(decimal);
    return whole === undefined
      ? decimal.negative
        ? least
        : most
      : whole < least
        ? least
        : whole > most
          ? most
          : whole;
  }
  const number = numberOf(value);
  if (Number.isNaN(number)) return 0n;
  return truncated(value) ?? (number < 0 || number === 2 ** 63 ? least : most);
}

const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;
const noByte = Uint8Array.of(0);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}
