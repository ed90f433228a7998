/**
 * Order of two first ids (`Chunk.firstId`) as MongoDB sorts `_id`: negative, zero or positive; zero too when they are the same as far as they are kept. Undefined when this
 * does not know. It only steers where stored chunks are looked for, so a wrong answer costs room and never data.
 */
export function compareIds(one: Uint8Array, other: Uint8Array): number | undefined {
  const first = valueOf(one);
  const second = valueOf(other);
  if (first === undefined || second === undefined) return undefined;
  if (first.rank !== second.rank) return first.rank - second.rank;
  if (first.value instanceof Buffer && second.value instanceof Buffer) return first.value.compare(second.value);
  // Exact for a 64-bit integer beside a double too.
  return first.value < second.value ? -1 : Number(first.value > second.value);
}

interface IdValue {
  /** Place of the type in MongoDB's order of types. */
  readonly rank: number;
  readonly value: number | bigint | Buffer;
}

/** Bytes before the value: type, `_id`, zero. */
const valueStart = 5;

function valueOf(firstId: Uint8Array): IdValue | undefined {
  const view = Buffer.from(firstId.buffer, firstId.byteOffset, firstId.length);
  if (view.toString("latin1", 1, valueStart) !== "_id\0") return undefined;
  const left = view.length - valueStart;
  switch (view[0]) {
    case 0x01: {
      const value = left >= 8 ? view.readDoubleLE(valueStart) : Number.NaN;
      return Number.isNaN(value) ? undefined : { rank: 1, value };
    }
    case 0x10:
      return left >= 4 ? { rank: 1, value: view.readInt32LE(valueStart) } : undefined;
    case 0x12:
      return left >= 8 ? { rank: 1, value: view.readBigInt64LE(valueStart) } : undefined;
    case 0x02:
      return { rank: 2, value: view.subarray(valueStart + 4) };
    case 0x05:
      // Length, then subtype, then bytes; the length counts before the bytes do.
      return left >= 5
        ? {
            rank: 3,
            value: Buffer.concat([
              view.subarray(valueStart, valueStart + 4).toReversed(),
              view.subarray(valueStart + 4),
            ]),
          }
        : undefined;
    case 0x07:
      return { rank: 4, value: view.subarray(valueStart) };
    case 0x09:
      return left >= 8 ? { rank: 5, value: view.readBigInt64LE(valueStart) } : undefined;
    default:
      return undefined;
  }
}
