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
  /** Length of the first document's first id, cut at 64 bytes; `firstIdOf` has the bytes. */
  readonly firstIdLength: number;
}

/** Bytes of a chunk before its first id: the length of its first document. */
const firstIdStart = 4;
const firstIdMaxBytes = 64;

/** Type byte, name and value bytes of the first document's `_id`, cut at 64 bytes; another start of the document when it does not begin with one. A view of the chunk's bytes. */
export function firstIdOf(bytes: Uint8Array, { firstIdLength }: Pick<Chunk, "firstIdLength">): Uint8Array {
  return bytes.subarray(firstIdStart, firstIdStart + firstIdLength);
}

/**
 * Cuts a stream of whole documents into chunks. Where a chunk ends depends on the documents since the last end and on the key alone, so that equal stretches of two
 * snapshots give equal chunks, and borders meet again behind a change.
 */
export class Chunker {
  // As the signed numbers that bit operations work with: others would be objects, made for every document.
  readonly #seed: number;
  readonly #first: number;
  readonly #second: number;
  readonly #last: number;
  #parts: Uint8Array[] = [];
  #size = 0;
  #documentCount = 0;
  #firstIdLength = 0;

  constructor(keys: Pick<StoreKeys, "boundary">) {
    const [seed, first, second, last] = keys.boundary;
    this.#seed = seed | 0;
    this.#first = first | 0;
    this.#second = second | 0;
    this.#last = last | 0;
  }

  /** Whether the last document ended a chunk, or there was none. */
  get isAtBorder(): boolean {
    return this.#size === 0;
  }

  /** Chunks that ended within `documents`, which are whole documents one after the other; what is left open is copied. Throws on anything else. */
  *push(documents: Uint8Array): Generator<Chunk> {
    const view = new DataView(documents.buffer, documents.byteOffset, documents.length);
    let start = 0;
    for (let end = this.#endFrom(view, start); end !== undefined; end = this.#endFrom(view, start)) {
      yield this.#cut(documents, start, end);
      start = end;
    }
    // Not `slice`: a Buffer's is a view, and the caller may use its bytes again.
    if (start < documents.length) this.#parts.push(Uint8Array.from(documents.subarray(start)));
  }

  /** The last chunk, when there is one. */
  finish(): Chunk | undefined {
    return this.#size === 0 ? undefined : this.#cut(empty, 0, 0);
  }

  /** Where the open chunk ends, of which all before `start` has been looked at; undefined when it stays open. */
  #endFrom(view: DataView, start: number): number | undefined {
    // In numbers of its own: this runs once for every document.
    let size = this.#size;
    let documentCount = this.#documentCount;
    let position = start;
    let isEnd = false;
    while (!isEnd && position < view.byteLength) {
      const length = documentLength(view, position);
      if (size > 0 && size + length > chunkMaxBytes) {
        isEnd = true;
        break;
      }
      if (documentCount === 0) this.#firstIdLength = Math.min(idLengthOf(view, position, length), firstIdMaxBytes);
      size += length;
      documentCount += 1;
      isEnd = size >= chunkMaxBytes || (size >= chunkMinBytes && this.#isBorder(view, position, length));
      position += length;
    }
    this.#size = size;
    this.#documentCount = documentCount;
    return isEnd ? position : undefined;
  }

  #cut(documents: Uint8Array, start: number, end: number): Chunk {
    const last = documents.subarray(start, end);
    const chunk = {
      bytes: this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]),
      documentCount: this.#documentCount,
      firstIdLength: this.#firstIdLength,
    };
    this.#parts = [];
    this.#size = 0;
    this.#documentCount = 0;
    return chunk;
  }

  /** Whether a document ends a chunk that is large enough: by a keyed 32-bit hash (the mixing steps of MurmurHash3, with secret numbers in place of its constants' starts) of its first id. */
  #isBorder(view: DataView, start: number, length: number): boolean {
    const idStart = start + firstIdStart;
    const idLength = idLengthOf(view, start, length);
    const idEnd = idStart + idLength;
    let hash = this.#seed;
    for (let position = idStart; position < idEnd; position += 4) {
      let word = position + 4 <= idEnd ? view.getInt32(position, true) : lastWord(view, position, idEnd);
      word = Math.imul(word ^ this.#first, 0xcc9e2d51);
      word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
      hash ^= word;
      hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + this.#second) | 0;
    }
    hash ^= this.#last ^ idLength;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < length / chunkSpreadBytes;
  }
}

const empty = new Uint8Array(0);

function documentLength(view: DataView, start: number): number {
  const length = start + 5 <= view.byteLength ? view.getInt32(start, true) : 0;
  if (length < 5 || start + length > view.byteLength || view.getUint8(start + length - 1) !== 0)
    throw new Error("what is to be stored is no sequence of whole documents");
  return length;
}

/**
 * Length of a document's first id, which starts at its fifth byte: up to the end of the value of `_id` when that is the first field, as servers store it, else up to the final
 * zero.
 */
function idLengthOf(view: DataView, start: number, length: number): number {
  const ofAll = length - 5;
  if (length < 10 || view.getInt32(start + 5, true) !== nameOfId) return ofAll;
  const size = idSize(view, start + 9, start + length - 1, view.getUint8(start + 4));
  return size === undefined ? ofAll : Math.min(5 + size, ofAll);
}

/** `_id` and the zero behind a name. */
const nameOfId = 0x00_64_69_5f;

/** Fewer than four bytes, the missing ones zero. */
function lastWord(view: DataView, at: number, end: number): number {
  let word = 0;
  for (let position = at; position < end; position += 1) word |= view.getUint8(position) << (8 * (position - at));
  return word;
}

/** Bytes of a value at `at` that must end before `end`; undefined when its type, or what is there, does not say. */
function idSize(view: DataView, at: number, end: number, type: number): number | undefined {
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
      return announced(view, at, end, 1, 4);
    case 0x03:
    case 0x04:
    case 0x0f:
      return announced(view, at, end, 5, 0);
    case 0x05:
      return announced(view, at, end, 0, 5);
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
function announced(view: DataView, at: number, end: number, least: number, added: number): number | undefined {
  const size = at + 4 > end ? undefined : view.getInt32(at, true);
  return size === undefined || size < least ? undefined : size + added;
}
