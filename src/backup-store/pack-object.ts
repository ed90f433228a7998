import type { BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";
import { blockContents, type PackIdentity, packEnd, packHeader, tagLength, trailerIndex } from "./block.ts";
import { packKeyOf } from "./entry.ts";
import { confirmApart, sealApart } from "./threads/apart.ts";
import { owned } from "./threads/jobs.ts";

/** Bytes of a pack that are read back at once. */
const readBackBytes = 8 * 1_048_576;

/** A block as it was put: where it is follows from those before it. */
interface WrittenBlock {
  readonly index: number;
  readonly sizeBytes: number;
  readonly tag: Uint8Array;
}

/** A pack that is in the store, with what must be read back. */
export interface WrittenPack extends PackIdentity {
  readonly objectKey: string;
  readonly blockSizes: readonly number[];
  readonly sizeBytes: number;
  /** The trailer included. */
  readonly blocks: readonly WrittenBlock[];
}

export interface PutPackParts {
  readonly blobs: BlobStore;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Puts a pack of sealed blocks, which are in the order of their numbers. */
export async function putPack(
  { blobs, randomBytes }: PutPackParts,
  pack: PackIdentity,
  blocks: readonly Uint8Array[],
): Promise<WrittenPack> {
  const table = new Uint8Array(blocks.length * 4);
  const view = new DataView(table.buffer);
  for (const [index, block] of blocks.entries()) view.setUint32(index * 4, block.length, true);
  const { sealed: trailer } = await sealApart(pack, {
    bytes: table,
    length: table.length,
    index: trailerIndex,
    content: blockContents.trailer,
    nonce: randomBytes(12),
  });
  const objectKey = packKeyOf(pack.id, pack.revision);
  const parts = [packHeader(pack), ...blocks, trailer, packEnd(trailer.length)];
  await blobs.put(objectKey, coalesced(parts));
  const { id, revision, key } = pack;
  return {
    id,
    revision,
    key,
    objectKey,
    blockSizes: blocks.map(({ length }) => length),
    sizeBytes: parts.reduce((sum, { length }) => sum + length, 0),
    blocks: writtenBlocks(blocks, trailer),
  };
}

/** Reads a pack back from the store and compares; each of its blocks was proven to decode to what it was made of before it was put. Throws `SnapshotDamaged`. */
export async function confirmPack(blobs: BlobStore, pack: WrittenPack): Promise<void> {
  const { objectKey, sizeBytes } = pack;
  const found = await blobs.stat(objectKey);
  if (found?.sizeBytes !== sizeBytes)
    throw new SnapshotDamaged(
      objectKey,
      `${objectKey} has ${found?.sizeBytes ?? "no"} bytes where ${sizeBytes} were written`,
    );
  let position = 0;
  const isNext = async (length: number, isSame: (bytes: Uint8Array) => Promise<boolean>): Promise<void> => {
    const read = async (): Promise<boolean> => isSame(await blobs.getRange(objectKey, position, length));
    // Asked once more, since what is hurt may be the answer and not the object.
    if (!(await read()) && !(await read()))
      throw new SnapshotDamaged(objectKey, `${objectKey} does not read back as it was written`);
    position += length;
  };
  const header = packHeader(pack);
  await isNext(header.length, async (bytes) => header.equals(bytes));
  for (const blocks of togetherReadBack(pack.blocks)) {
    let end = 0;
    const expected = blocks.map((block) => ({ ...block, start: end, end: (end += block.sizeBytes) }));
    await isNext(end, (bytes) => confirmApart(pack, owned(bytes), expected));
  }
  const end = packEnd(pack.blocks.at(-1)?.sizeBytes ?? 0);
  await isNext(end.length, async (bytes) => end.equals(bytes));
}

/** Blocks that are read back together. */
function* togetherReadBack(blocks: readonly WrittenBlock[]): Generator<readonly WrittenBlock[]> {
  let together: WrittenBlock[] = [];
  let length = 0;
  for (const block of blocks) {
    if (together.length > 0 && length + block.sizeBytes > readBackBytes) {
      yield together;
      together = [];
      length = 0;
    }
    together.push(block);
    length += block.sizeBytes;
  }
  yield together;
}

function writtenBlocks(blocks: readonly Uint8Array[], trailer: Uint8Array): WrittenBlock[] {
  // In one memory, since they go to another thread together.
  const tags = new Uint8Array((blocks.length + 1) * tagLength);
  return [...blocks, trailer].map((block, position) => {
    const tag = tags.subarray(position * tagLength, (position + 1) * tagLength);
    tag.set(block.subarray(block.length - tagLength));
    return { index: position < blocks.length ? position : trailerIndex, sizeBytes: block.length, tag };
  });
}

/** The same bytes in fewer parts: blocks that were sealed together lie one behind the other in memory. */
function coalesced(parts: readonly Uint8Array[]): Uint8Array[] {
  const fewer: Uint8Array[] = [];
  for (const part of parts) {
    const before = fewer.at(-1);
    if (before !== undefined && before.buffer === part.buffer && before.byteOffset + before.length === part.byteOffset)
      fewer[fewer.length - 1] = new Uint8Array(before.buffer, before.byteOffset, before.length + part.length);
    else fewer.push(part);
  }
  return fewer;
}
