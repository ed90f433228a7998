import { compareBytes } from "./bytes.ts";
import { encodeKey } from "./key.ts";
import { compareNumbers } from "./numbers.ts";
import { bsonType, isNumberType, typeOrder } from "./types.ts";
import { int64Of, type Value } from "./value.ts";

/** Order of two values of any types (manual, "Comparison/Sort Order"): negative, 0 or positive. Strings go by their bytes, as without collation. */
export function compareValues(one: Value, other: Value): number {
  const order = typeOrder(one.type) - typeOrder(other.type);
  if (order !== 0) return order;
  if (isNumberType(one.type)) return compareNumbers(one, other);
  switch (one.type) {
    case bsonType.string:
    case bsonType.symbol:
    case bsonType.javascript:
      return compareRanges(one, 4, 1, other);
    case bsonType.objectId:
    case bsonType.bool:
      return compareRanges(one, 0, 0, other);
    case bsonType.null:
    case bsonType.undefined:
    case bsonType.minKey:
    case bsonType.maxKey:
      return 0;
    case bsonType.date: {
      const [left, right] = [int64Of(one), int64Of(other)];
      return left < right ? -1 : Number(left > right);
    }
    default:
      // Everything nested or rare goes by the key, whose order is the same by construction.
      return compareBytes(encodeKey(one), encodeKey(other));
  }
}

export function equalValues(one: Value, other: Value): boolean {
  return compareValues(one, other) === 0;
}

/** Bytes of both, without `head` bytes before and `tail` bytes after. */
function compareRanges(one: Value, head: number, tail: number, other: Value): number {
  const oneLength = one.end - one.start - head - tail;
  const otherLength = other.end - other.start - head - tail;
  const length = Math.min(oneLength, otherLength);
  for (let index = 0; index < length; index += 1) {
    const difference =
      (one.source[one.start + head + index] as number) - (other.source[other.start + head + index] as number);
    if (difference !== 0) return difference;
  }
  return oneLength - otherLength;
}
