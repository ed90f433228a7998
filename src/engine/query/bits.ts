import { badValue } from "../engine-error.ts";
import { wide } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import { numberOf, type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf } from "../bson/walk.ts";
import type { ValueTest } from "./tests.ts";

/** `$bitsAllSet` and its like: numbers by their two's complement of 64 bits, binary data by its bytes (manual, "Bitwise Query Operators"). */
export function bitTest(name: string, value: Value): ValueTest {
  const positions = positionsOf(name, value);
  const wantSet = name.endsWith("Set");
  const every = name.startsWith("$bitsAll");
  return (stored) => {
    const bit = bitReader(stored);
    if (bit === undefined) return false;
    return every
      ? positions.every((position) => bit(position) === wantSet)
      : positions.some((position) => bit(position) === wantSet);
  };
}

function positionsOf(name: string, value: Value): number[] {
  if (value.type === bsonType.array) {
    return elementsOf(value).map((element) => {
      const position = wholeNumberOf(element);
      if (position === undefined || position < 0) throw badValue(`${name} positions must be non-negative integers`);
      return position;
    });
  }
  if (value.type === bsonType.binData)
    return Array.from({ length: (value.end - value.start - 5) * 8 }, (_, position) => position).filter((position) =>
      bitReader(value)?.(position),
    );
  const mask = wholeNumberOf(value);
  if (mask === undefined || mask < 0)
    throw badValue(`${name} takes an Array, a number, or a BinData but received an unusable value`);
  return Array.from({ length: 64 }, (_, position) => position).filter(
    (position) => ((BigInt(mask) >> BigInt(position)) & 1n) === 1n,
  );
}

function bitReader(value: Value): ((position: number) => boolean) | undefined {
  if (value.type === bsonType.binData) {
    const start = value.start + 5;
    return (position) => {
      const byte = start + (position >> 3);
      return byte < value.end && (((value.source[byte] as number) >> (position & 7)) & 1) === 1;
    };
  }
  if (value.type !== bsonType.int && value.type !== bsonType.long && value.type !== bsonType.double) return undefined;
  const number = value.type === bsonType.double ? numberOf(value) : 0;
  if (!Number.isInteger(number) || Math.abs(number) > 2 ** 63) return undefined;
  const bits = value.type === bsonType.double ? BigInt(number) : wide(value);
  // Sign extension: positions past 63 read the sign.
  return (position) => ((bits >> BigInt(Math.min(position, 63))) & 1n) === 1n;
}
