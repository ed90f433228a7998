import { hash } from "node:crypto";
import { type BlockToSeal, openBlock, type PackIdentity, releaseMemory, sealBlock } from "../block.ts";
import { createChunkId } from "../chunk-id.ts";

/** Bytes whose memory goes with them from thread to thread; nothing else may stand in it. */
export type OwnBytes = Uint8Array<ArrayBuffer>;

/** Work that only computes, by name. Answers hold `OwnBytes` and nothing else. */
export interface Jobs {
  /** Ids (32 bytes each) of the chunks that stand in `bytes` one behind the other; `ends` says where each ends. */
  identify(request: { readonly key: Uint8Array; readonly bytes: OwnBytes; readonly ends: readonly number[] }): {
    readonly bytes: OwnBytes;
    readonly ids: OwnBytes;
  };
  /** The sealed block of the first `length` of `bytes`, and its SHA-256. */
  seal(
    request: Omit<BlockToSeal, "plain"> & {
      readonly pack: PackIdentity;
      readonly bytes: OwnBytes;
      readonly length: number;
    },
  ): { readonly bytes: OwnBytes; readonly sealed: OwnBytes; readonly sha256: OwnBytes };
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
  /** SHA-256 (32 bytes each) of the parts that stand in `bytes` one behind the other; `ends` says where each ends. */
  hash(request: { readonly bytes: OwnBytes; readonly ends: readonly number[] }): { readonly hashes: OwnBytes };
}

/** Where a part stands in a block's plain bytes; nothing stands beyond them. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

export type JobName = keyof Jobs;
export type JobRequest<Name extends JobName> = Parameters<Jobs[Name]>[0];
export type JobAnswer<Name extends JobName> = ReturnType<Jobs[Name]>;

export const digestLength = 32;
/** Bytes that memory may hold beside those that are handed over. */
const slackBytes = 4096;

let lastKey: Uint8Array = new Uint8Array(0);
let lastChunkId: (bytes: Uint8Array) => Uint8Array = sha256;

export const jobs: Jobs = {
  identify: ({ key, bytes, ends }) => ({ bytes, ids: ofEach(bytes, ends, chunkIdOf(key)) }),
  seal({ pack, bytes, length, index, content, nonce }) {
    const sealed = sealBlock(pack, { plain: bytes.subarray(0, length), index, content, nonce });
    return { bytes, sealed: owned(sealed), sha256: owned(sha256(sealed)) };
  },
  open: ({ pack, sealed, index }) => ({ plain: owned(openBlock(pack, sealed, index)) }),
  pick({ pack, sealed, index, key, places }) {
    const plain = openBlock(pack, sealed, index);
    const bytes = new Uint8Array(places.reduce((sum, { length }) => sum + length, 0));
    let end = 0;
    const ends = places.map(({ offset, length }) => {
      bytes.set(plain.subarray(offset, offset + length), end);
      end += length;
      return end;
    });
    releaseMemory(plain);
    releaseMemory(sealed);
    return { bytes, ids: ofEach(bytes, ends, chunkIdOf(key)) };
  },
  hash: ({ bytes, ends }) => ({ hashes: ofEach(bytes, ends, sha256) }),
};

/** The bytes when they have memory of their own, else a copy. */
export function owned(bytes: Uint8Array): OwnBytes {
  const { buffer, byteOffset, byteLength } = bytes;
  // What is smaller may lie in memory that Buffers share.
  const isOwn = byteOffset === 0 && byteLength >= 65_536 && buffer.byteLength - byteLength < slackBytes;
  return isOwn && buffer instanceof ArrayBuffer ? (bytes as OwnBytes) : new Uint8Array(bytes);
}

function chunkIdOf(key: Uint8Array): (bytes: Uint8Array) => Uint8Array {
  if (Buffer.compare(lastKey, key) !== 0) {
    lastKey = key;
    lastChunkId = createChunkId(key);
  }
  return lastChunkId;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

function ofEach(bytes: Uint8Array, ends: readonly number[], digest: (part: Uint8Array) => Uint8Array): OwnBytes {
  const digests = new Uint8Array(ends.length * digestLength);
  let start = 0;
  for (const [index, end] of ends.entries()) {
    digests.set(digest(bytes.subarray(start, end)), index * digestLength);
    start = end;
  }
  return digests;
}
