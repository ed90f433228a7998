import { openBlock, type PackIdentity, releaseMemory, sealBlock, unsealBlock } from "../block.ts";
import { chunkIdLength, createChunkId, createChunkIdInPlace } from "../chunk-id.ts";
import { ownMemory } from "../rooms.ts";

/** Bytes whose memory goes with them from thread to thread; nothing else may stand in it. */
export type OwnBytes = Uint8Array<ArrayBuffer>;
/** Bytes that another thread works on until it has answered, by way of their memory: given away, or shared, and then to be left alone meanwhile. */
export type LentBytes = Uint8Array<ArrayBufferLike>;

/** Where some bytes stand in others. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where a part stands in a block's plain bytes; nothing stands beyond them. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/** A stretch that becomes a block. */
export interface StretchToSeal extends BlockPlace {
  readonly nonce: Uint8Array;
}

/** A block among the bytes of a pack. */
export interface BlockPlace extends Stretch {
  readonly index: number;
}

/** The parts of it that are wanted. */
export interface BlockParts extends BlockPlace {
  readonly places: readonly Place[];
}

/** A block that is looked for in the bytes of a pack. */
export interface ExpectedBlock extends BlockPlace {
  readonly tag: Uint8Array;
}

/** Work that only computes, by name. Answers hold `OwnBytes`, or the `LentBytes` of the request, and nothing else. */
export interface Jobs {
  /** Ids (32 bytes each) of the chunks that stand in `bytes`. With `hasRoom` there are 64 bytes before each that may be overwritten. */
  identify(request: {
    readonly key: Uint8Array;
    readonly bytes: LentBytes;
    readonly chunks: readonly Stretch[];
    readonly hasRoom: boolean;
  }): {
    readonly bytes: LentBytes;
    readonly ids: OwnBytes;
  };
  /** The sealed blocks of stretches of `bytes`, one behind the other: their headers say how long each is. */
  seal(request: {
    readonly pack: PackIdentity;
    readonly bytes: LentBytes;
    readonly blocks: readonly StretchToSeal[];
    readonly content: number;
  }): { readonly bytes: LentBytes; readonly sealed: OwnBytes };
  /** The plain bytes of a block. */
  open(request: { readonly pack: PackIdentity; readonly sealed: OwnBytes; readonly index: number }): {
    readonly plain: OwnBytes;
  };
  /** How many plain bytes each of some blocks has that stand in `sealed` (32 bits, little-endian); `notOpened` for one that cannot be opened. */
  measure(request: {
    readonly pack: PackIdentity;
    readonly sealed: OwnBytes;
    readonly blocks: readonly BlockPlace[];
  }): {
    readonly lengths: OwnBytes;
  };
  /** Parts of blocks that stand in `sealed`, one behind the other, and their ids as chunks (32 bytes each). */
  pick(request: {
    readonly pack: PackIdentity;
    readonly sealed: OwnBytes;
    readonly blocks: readonly BlockParts[];
    readonly key: Uint8Array;
  }): { readonly bytes: OwnBytes; readonly ids: OwnBytes };
  /** For each block 1 when it is the one that was sealed, else 0. */
  confirm(request: {
    readonly pack: PackIdentity;
    readonly bytes: OwnBytes;
    readonly blocks: readonly ExpectedBlock[];
  }): { readonly bytes: OwnBytes; readonly same: OwnBytes };
}

/** A length that no block has. */
export const notOpened = 0xffff_ffff;

export type JobName = keyof Jobs;
export type JobRequest<Name extends JobName> = Parameters<Jobs[Name]>[0];
export type JobAnswer<Name extends JobName> = ReturnType<Jobs[Name]>;

/** Bytes that memory may hold beside those that are handed over. */
const slackBytes = 4096;

let lastKey: Uint8Array = new Uint8Array(32);
let chunkId = createChunkId(lastKey);
let chunkIdInPlace = createChunkIdInPlace(lastKey);

export const jobs: Jobs = {
  identify: ({ key, bytes, chunks, hasRoom }) => ({ bytes, ids: idsOf(key, bytes, chunks, hasRoom) }),
  seal({ pack, bytes, blocks, content }) {
    const sealed = blocks.map(({ start, end, index, nonce }) =>
      sealBlock(pack, { plain: bytes.subarray(start, end), index, content, nonce }),
    );
    return { bytes, sealed: joined(sealed) };
  },
  open: ({ pack, sealed, index }) => ({ plain: owned(openBlock(pack, sealed, index)) }),
  measure({ pack, sealed, blocks }) {
    const lengths = new Uint8Array(blocks.length * 4);
    const view = new DataView(lengths.buffer);
    for (const [position, { start, end, index }] of blocks.entries())
      view.setUint32(position * 4, plainLengthOf(pack, sealed.subarray(start, end), index), true);
    releaseMemory(sealed);
    return { lengths };
  },
  pick({ pack, sealed, blocks, key }) {
    const places = blocks.flatMap((block) => block.places);
    const bytes = ownMemory(places.reduce((sum, { length }) => sum + length, 0));
    const chunks: Stretch[] = [];
    let end = 0;
    for (const block of blocks) {
      const plain = openBlock(pack, sealed.subarray(block.start, block.end), block.index);
      for (const { offset, length } of block.places) {
        if (offset + length > plain.length) throw new Error(`block ${block.index} is too short for what stands in it`);
        bytes.set(plain.subarray(offset, offset + length), end);
        chunks.push({ start: end, end: (end += length) });
      }
      releaseMemory(plain);
    }
    releaseMemory(sealed);
    return { bytes, ids: idsOf(key, bytes, chunks, false) };
  },
  confirm: ({ pack, bytes, blocks }) => ({
    bytes,
    same: Uint8Array.from(blocks, (block) => (isSame(pack, bytes.subarray(block.start, block.end), block) ? 1 : 0)),
  }),
};

function idsOf(key: Uint8Array, bytes: LentBytes, chunks: readonly Stretch[], hasRoom: boolean): OwnBytes {
  if (Buffer.compare(lastKey, key) !== 0) {
    lastKey = key;
    chunkId = createChunkId(key);
    chunkIdInPlace = createChunkIdInPlace(key);
  }
  const room = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const ids = Buffer.alloc(chunks.length * chunkIdLength);
  for (const [index, { start, end }] of chunks.entries()) {
    if (hasRoom) chunkIdInPlace(room, start, end, ids, index * chunkIdLength);
    else ids.set(chunkId(room.subarray(start, end)), index * chunkIdLength);
  }
  return owned(ids);
}

/** What authenticates under the pack's key with the same tag is what was sealed: nobody can make other bytes that do. */
function isSame(pack: PackIdentity, sealed: Uint8Array, { index, tag }: ExpectedBlock): boolean {
  if (Buffer.compare(sealed.subarray(sealed.length - tag.length), tag) !== 0) return false;
  try {
    releaseMemory(unsealBlock(pack, sealed, index));
    return true;
  } catch {
    return false;
  }
}

/** Memory of bytes that goes with them from thread to thread: what is shared stays where it is. */
export function memoryOf(bytes: Iterable<LentBytes>): ArrayBuffer[] {
  return Array.from(bytes, ({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

function plainLengthOf(pack: PackIdentity, sealed: Uint8Array, index: number): number {
  try {
    const plain = openBlock(pack, sealed, index);
    const { length } = plain;
    releaseMemory(plain);
    return length;
  } catch {
    return notOpened;
  }
}

function joined(parts: readonly Uint8Array[]): OwnBytes {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return owned(only);
  const bytes = ownMemory(parts.reduce((sum, { length }) => sum + length, 0));
  let size = 0;
  for (const part of parts) {
    bytes.set(part, size);
    size += part.length;
  }
  return bytes;
}

/** The bytes when they have memory of their own, else a copy. */
export function owned(bytes: Uint8Array): OwnBytes {
  const { buffer, byteOffset, byteLength } = bytes;
  // What is smaller may lie in memory that Buffers share.
  const isOwn = byteOffset === 0 && byteLength >= 65_536 && buffer.byteLength - byteLength < slackBytes;
  return isOwn && buffer instanceof ArrayBuffer ? (bytes as OwnBytes) : new Uint8Array(bytes);
}
