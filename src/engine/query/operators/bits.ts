import { badValue } from "../../engine-error.ts";
import { int64Bytes } from "../../bson/bytes.ts";
import { toNumber, truncated } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { anyValueTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** Bitwise query operators: numbers by their two's complement, binary data by its bytes, both without end (manual, "Bitwise Query Operators"). */
export const $bitsAllSet: QueryOperator = bitTest("$bitsAllSet", (mask, holds) =>
  mask.every(({ index, bits }) => (holds(index) & bits) === bits),
);
export const $bitsAnySet: QueryOperator = bitTest("$bitsAnySet", (mask, holds) =>
  mask.some(({ index, bits }) => (holds(index) & bits) !== 0),
);
export const $bitsAllClear: QueryOperator = bitTest("$bitsAllClear", (mask, holds) =>
  mask.every(({ index, bits }) => (holds(index) & bits) === 0),
);
export const $bitsAnyClear: QueryOperator = bitTest("$bitsAnyClear", (mask, holds) =>
  mask.some(({ index, bits }) => (holds(index) & bits) !== bits),
);

/** The bits asked for in one byte; bytes count from the lowest. */
interface MaskByte {
  readonly index: number;
  readonly bits: number;
}

type ByteReader = (index: number) => number;

/** Beyond this many bytes of mask the question is a mistake or an attack. */
const maskBytesMax = 65_536;

function bitTest(name: string, decide: (mask: readonly MaskByte[], holds: ByteReader) => boolean): QueryOperator {
  return (argument, { path }) => {
    const mask = maskOf(name, argument);
    return anyValueTest(
      path,
      (stored) => {
        const holds = byteReader(stored);
        return holds !== undefined && decide(mask, holds);
      },
      false,
    );
  };
}

function maskOf(name: string, argument: Value): readonly MaskByte[] {
  if (argument.type === bsonType.array) return maskOfPositions(name, elementsOf(argument));
  if (argument.type === bsonType.binData) {
    const bytes = argument.bytes().subarray(5);
    if (bytes.length > maskBytesMax) throw badValue(`${name} takes a mask of at most ${maskBytesMax} bytes`);
    return Array.from(bytes, (bits, index) => ({ index, bits })).filter(({ bits }) => bits !== 0);
  }
  const whole = isNumberType(argument.type) ? truncated(argument) : undefined;
  if (whole === undefined || Number(whole) !== toNumber(argument))
    throw badValue(
      `${name} takes an Array, a number, or a BinData but received a value of type ${typeName(argument.type)}`,
    );
  if (whole < 0n) throw badValue(`${name} takes a non-negative number`);
  return Array.from(int64Bytes(whole), (bits, index) => ({ index, bits })).filter(({ bits }) => bits !== 0);
}

function maskOfPositions(name: string, elements: readonly Value[]): readonly MaskByte[] {
  const bytes = new Map<number, number>();
  for (const element of elements) {
    const position = isNumberType(element.type) ? truncated(element) : undefined;
    if (position === undefined || Number(position) !== toNumber(element) || position < 0n || position > 2_147_483_647n)
      throw badValue(`bit positions of ${name} must be represented as non-negative 32-bit integers`);
    const index = Number(position >> 3n);
    bytes.set(index, (bytes.get(index) ?? 0) | (1 << Number(position & 7n)));
  }
  return Array.from(bytes, ([index, bits]) => ({ index, bits }));
}

/** Reads the bytes of a value, lowest first; undefined for values that have no bits. */
function byteReader(value: Value): ByteReader | undefined {
  if (value.type === bsonType.binData) {
    const start = value.start + 5;
    return (index) => (start + index < value.end ? (value.source[start + index] as number) : 0);
  }
  if (!isNumberType(value.type)) return undefined;
  const whole = truncated(value);
  if (whole === undefined || Number(whole) !== toNumber(value)) return undefined;
  const bytes = int64Bytes(whole);
  const beyond = whole < 0n ? 0xff : 0;
  return (index) => bytes[index] ?? beyond;
}
