import { type BlockToSeal, openBlock, type PackIdentity, releaseMemory, sealBlock, unsealBlock } from "../block.ts";
import { chunkIdLength, createChunkId, createChunkIdInPlace } from "../chunk-id.ts";

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

/** A block that is looked for in the bytes of a pack. */
export interface ExpectedBlock extends Stretch {
  readonly index: number;
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
  /** The sealed block of the first `length` of `bytes`. */
  seal(
    request: Omit<BlockToSeal, "plain"> & {
      readonly pack: PackIdentity;
      readonly bytes: LentBytes;
      readonly length: number;
    },
  ): { readonly bytes: LentBytes; readonly sealed: OwnBytes };
  /** The plain bytes of a block. */
  open(request: { readonly pack: PackIdentity; readonly sealed: OwnBytes; readonly index: number }): {
    readonly plain: OwnBytes;
  };
  /** Parts of a block one behind the other, and their ids as chunks (32 bytes each); `places` says where each part starts and how long it is. */
  pick(request: {
    readonly pack: PackIdentity;
    readonly sealed: OwnBytes;
    readonly index: number;
    readonly key: Uint8Array;
    readonly places: readonly Place[];
  }): { readonly bytes: OwnBytes; readonly ids: OwnBytes };
  /** For each block 1 when it is the one that was sealed, else 0. */
  confirm(request: {
    readonly pack: PackIdentity;
    readonly bytes: OwnBytes;
    readonly blocks: readonly ExpectedBlock[];
  }): { readonly bytes: OwnBytes; readonly same: OwnBytes };
}

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
  seal({ pack, bytes, length, index, content, nonce }) {
    return { bytes, sealed: owned(sealBlock(pack, { plain: bytes.subarray(0, length), index, content, nonce })) };
  },
  open: ({ pack, sealed, index }) => ({ plain: owned(openBlock(pack, sealed, index)) }),
  pick({ pack, sealed, index, key, places }) {
    const plain = openBlock(pack, sealed, index);
    const bytes = new Uint8Array(places.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    const chunks = places.map(({ offset, length }) => {
      bytes.set(plain.subarray(offset, offset + length), end);
      return { start: end, end: (end += length) };
    });
    releaseMemory(plain);
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

/** The bytes when they have memory of their own, else a copy. */
export function owned(bytes: Uint8Array): OwnBytes {
  const { buffer, byteOffset, byteLength } = bytes;
  // What is smaller may lie in memory that Buffers share.
  const isOwn = byteOffset === 0 && byteLength >= 65_536 && buffer.byteLength - byteLength < slackBytes;
  return isOwn && buffer instanceof ArrayBuffer ? (bytes as OwnBytes) : new Uint8Array(bytes);
}
