import { createHash } from "node:crypto";
import type { BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";
import { blockContents, type PackIdentity, packEnd, packHeader, trailerIndex } from "./block.ts";
import { packKeyOf } from "./entry.ts";
import { hashApart, type SealedBlock, sealApart } from "./threads/apart.ts";
import { owned } from "./threads/jobs.ts";

/** Bytes of a pack that are read back at once. */
const readBackBytes = 8 * 1_048_576;

interface WrittenPart {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** A pack that is in the store, with what must be read back. */
export interface WrittenPack {
  readonly id: Uint8Array;
  readonly objectKey: string;
  readonly blockSizes: readonly number[];
  readonly sizeBytes: number;
  /** One behind the other they are the object. */
  readonly parts: readonly WrittenPart[];
}

export interface PutPackParts {
  readonly blobs: BlobStore;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Puts a pack of sealed blocks, which are in the order of their numbers. */
export async function putPack(
  { blobs, randomBytes }: PutPackParts,
  pack: PackIdentity,
  blocks: readonly SealedBlock[],
): Promise<WrittenPack> {
  const table = new Uint8Array(blocks.length * 4);
  const view = new DataView(table.buffer);
  for (const [index, block] of blocks.entries()) view.setUint32(index * 4, block.bytes.length, true);
  const { sealed: trailer } = await sealApart(pack, {
    bytes: table,
    length: table.length,
    index: trailerIndex,
    content: blockContents.trailer,
    nonce: randomBytes(12),
  });
  const parts = [hashed(packHeader(pack)), ...blocks, trailer, hashed(packEnd(trailer.bytes.length))];
  const objectKey = packKeyOf(pack.id, pack.revision);
  await blobs.put(
    objectKey,
    parts.map(({ bytes }) => bytes),
  );
  return {
    id: pack.id,
    objectKey,
    blockSizes: blocks.map(({ bytes }) => bytes.length),
    sizeBytes: parts.reduce((sum, { bytes }) => sum + bytes.length, 0),
    parts: parts.map(({ bytes, sha256 }) => ({ sizeBytes: bytes.length, sha256 })),
  };
}

/** Reads a pack back from the store and compares; each of its blocks was proven to decode to what it was made of before it was put. Throws `SnapshotDamaged`. */
export async function confirmPack(blobs: BlobStore, { objectKey, sizeBytes, parts }: WrittenPack): Promise<void> {
  const found = await blobs.stat(objectKey);
  if (found?.sizeBytes !== sizeBytes)
    throw new SnapshotDamaged(
      objectKey,
      `${objectKey} has ${found?.sizeBytes ?? "no"} bytes where ${sizeBytes} were written`,
    );
  let start = 0;
  for (const range of rangesOf(parts)) {
    const ends: number[] = [];
    let length = 0;
    for (const part of range) ends.push((length += part.sizeBytes));
    const isSame = async (): Promise<boolean> => {
      const hashes = await hashApart(owned(await blobs.getRange(objectKey, start, length)), ends);
      return range.every(({ sha256 }, index) => Buffer.from(sha256).equals(hashes[index] ?? new Uint8Array(0)));
    };
    // Asked once more, since what is hurt may be the answer and not the object.
    if (!(await isSame()) && !(await isSame()))
      throw new SnapshotDamaged(objectKey, `${objectKey} does not read back as it was written`);
    start += length;
  }
}

/** Parts that are read back together. */
function* rangesOf(parts: readonly WrittenPart[]): Generator<readonly WrittenPart[]> {
  let range: WrittenPart[] = [];
  let length = 0;
  for (const part of parts) {
    if (range.length > 0 && length + part.sizeBytes > readBackBytes) {
      yield range;
      range = [];
      length = 0;
    }
    range.push(part);
    length += part.sizeBytes;
  }
  yield range;
}

function hashed(bytes: Uint8Array): SealedBlock {
  return { bytes, sha256: createHash("sha256").update(bytes).digest() };
}
