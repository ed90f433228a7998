import type { StoreKeys } from "./keys.ts";

/** Sizes of chunks in bytes; a document above the largest is a chunk of its own. */
export const chunkMinBytes = 4096;
export const chunkMaxBytes = 65_536;
/** Mean that is added to the least size: a document ends a chunk with the probability `length / chunkSpreadBytes`. */
export const chunkSpreadBytes = 12_288;

/** A run of whole documents. */
export interface Chunk {
  /** Where it lies within what was pushed last, a view of that; to be used or copied before the next push. */
  readonly bytes: Uint8Array;
  readonly documentCount: number;
  /** Type byte and value bytes of the first document's `_id`, cut at 64 bytes; empty when it has none. */
  readonly firstId: Uint8Array;
}

/**
 * Cuts a stream of whole documents into chunks. Where a chunk ends depends on the documents since the last end and on the key alone, so that equal stretches of two
 * snapshots give equal chunks, and borders meet again behind a change.
 */
export class Chunker {
  readonly #keys: readonly [number, number, number, number];
  #parts: Uint8Array[] = [];
  #size = 0;
  #documentCount = 0;
  #firstId: Uint8Array = empty;

  constructor(keys: Pick<StoreKeys, "boundary">) {
    this.#keys = keys.boundary;
  }

  /** Whether the last document ended a chunk, or there was none. */
  get isAtBorder(): boolean {
    return this.#size === 0;
  }

  /** Chunks that ended within `documents`, which are whole documents one after the other; what is left open is copied. Throws on anything else. */
  *push(documents: Uint8Array): Generator<Chunk> {
    let runStart = 0;
    let position = 0;
    while (position < documents.length) {
      const length = documentLength(documents, position);
      if (this.#size > 0 && this.#size + length > chunkMaxBytes) {
        yield this.#cut(documents, runStart, position);
        runStart = position;
      }
      const idStart = position + 4;
      const idEnd = idEndOf(documents, position, length);
      if (this.#documentCount === 0) this.#firstId = copyOf(documents, idStart, Math.min(idEnd, idStart + 64));
      this.#size += length;
      this.#documentCount += 1;
      position += length;
      const ends =
        this.#size >= chunkMinBytes && this.#hash(documents, idStart, idEnd) / 2 ** 32 < length / chunkSpreadBytes;
      if (ends || this.#size >= chunkMaxBytes) {
        yield this.#cut(documents, runStart, position);
        runStart = position;
      }
    }
    if (position > runStart) this.#parts.push(copyOf(documents, runStart, position));
  }

  /** The last chunk, when there is one. */
  finish(): Chunk | undefined {
    return this.#size === 0 ? undefined : this.#cut(empty, 0, 0);
  }

  #cut(documents: Uint8Array, start: number, end: number): Chunk {
    const last = documents.subarray(start, end);
    const chunk = {
      bytes: this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]),
      documentCount: this.#documentCount,
      firstId: this.#firstId,
    };
    this.#parts = [];
    this.#size = 0;
    this.#documentCount = 0;
    this.#firstId = empty;
    return chunk;
  }

  /** A keyed 32-bit hash (the mixing steps of MurmurHash3, with secret numbers in place of its constants' starts). */
  #hash(bytes: Uint8Array, start: number, end: number): number {
    const [seed, first, second, last] = this.#keys;
    let hash = seed;
    for (let position = start; position < end; position += 4) {
      let word = position + 4 <= end ? wordAt(bytes, position) : lastWord(bytes, position, end);
      word = Math.imul(word ^ first, 0xcc9e2d51);
      word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
      hash ^= word;
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + second) | 0;
    }
    hash ^= last ^ (end - start);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

const empty = new Uint8Array(0);

/** Not `slice`: a Buffer's is a view, and the caller may use its bytes again. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

function documentLength(bytes: Uint8Array, start: number): number {
  const length = start + 5 <= bytes.length ? wordAt(bytes, start) : 0;
  if (length < 5 || start + length > bytes.length || bytes[start + length - 1] !== 0)
    throw new Error("what is to be stored is no sequence of whole documents");
  return length;
}

/** Where the first id of a document ends, which starts at its fifth byte: behind the value of `_id` when that is the first field, as servers store it, else before the final zero. */
function idEndOf(bytes: Uint8Array, start: number, length: number): number {
  const end = start + length - 1;
  if (length < 10 || wordAt(bytes, start + 5) !== nameOfId) return end;
  const value = start + 9;
  const size = idSize(bytes[start + 4] as number, bytes, value);
  return size === undefined || value + size > end ? end : value + size;
}

/** `_id` and the zero behind a name. */
const nameOfId = 0x00_64_69_5f;

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Fewer than four bytes, the missing ones zero. */
function lastWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let position = at; position < end; position += 1) word |= (bytes[position] as number) << (8 * (position - at));
  return word;
}

function idSize(type: number, bytes: Uint8Array, at: number): number | undefined {
  switch (type) {
    case 0x07:
      return 12;
    case 0x10:
      return 4;
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x02:
    case 0x0d:
    case 0x0e:
      return sizeFrom(wordAt(bytes, at), 1, 4);
    case 0x03:
    case 0x04:
    case 0x0f:
      return sizeFrom(wordAt(bytes, at), 5, 0);
    case 0x05:
      return sizeFrom(wordAt(bytes, at), 0, 5);
    case 0x08:
      return 1;
    case 0x13:
      return 16;
    case 0x0a:
    case 0xff:
    case 0x7f:
      return 0;
    default:
      return undefined;
  }
}

/** Undefined for a length that no value of its type has: a malformed document is kept like any other, but never decides by bytes outside it. */
function sizeFrom(word: number, least: number, added: number): number | undefined {
  return word < least ? undefined : word + added;
}
