import { BlobError, type BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";
import {
  blockHeaderLength,
  openBlock,
  type PackIdentity,
  packEndLength,
  packHeaderLength,
  readBlockHeader,
  trailerIndex,
  trailerLengthOf,
} from "./block.ts";
import { type Entry, packKeyOf, parsePackKey } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import { openApart, pickApart } from "./threads/apart.ts";

/** Where the blocks of a pack are. */
export interface PackLayout extends PackIdentity {
  readonly objectKey: string;
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly sizeBytes: number;
}

const layoutsKept = 2048;
const blocksKept = 16;

/** Reads entries out of packs. Everything it hands out was authenticated and has the id that was asked for. */
export class PackReader {
  readonly #blobs: BlobStore;
  readonly #keys: StoreKeys;
  readonly #layouts = new Map<string, Promise<PackLayout>>();
  readonly #blocks = new Map<string, Promise<Uint8Array>>();

  constructor(blobs: BlobStore, keys: StoreKeys) {
    this.#blobs = blobs;
    this.#keys = keys;
  }

  /** The bytes of an entry. Throws `SnapshotDamaged`. */
  async read(entry: Entry): Promise<Uint8Array> {
    const block = await this.block(entry.packId, entry.blockIndex);
    const bytes = block.subarray(entry.offset, entry.offset + entry.length);
    if (bytes.length !== entry.length) throw notHeld(entry);
    requireSameId(entry, this.#keys.chunkId(bytes));
    return bytes;
  }

  /** The same of several entries of one pack, which are in the order of their blocks; all from their first block to their last is asked for at once. */
  async readNear(entries: readonly Entry[]): Promise<readonly Uint8Array[]> {
    const [first] = entries;
    const last = entries.at(-1);
    if (first === undefined || last === undefined) return [];
    const layout = await this.layout(first.packId);
    return guarded(layout.objectKey, async () => {
      const { start: from } = sealedRange(layout, first.blockIndex);
      const { end: to } = sealedRange(layout, last.blockIndex);
      const sealed = await this.#blobs.getRange(layout.objectKey, from, to - from);
      const blocks = Array.from(
        Map.groupBy(entries, ({ blockIndex }) => blockIndex),
        ([index, ofBlock]) => {
          const { start, end } = sealedRange(layout, index);
          // Not the entries: what goes to another thread is copied with all that it holds.
          const places = ofBlock.map(({ offset, length }) => ({ offset, length }));
          return { index, start: start - from, end: end - from, places };
        },
      );
      const picked = await pickApart(layout, sealed, blocks, this.#keys.chunkIdKey);
      return picked.map(({ bytes, id }, position) => {
        requireSameId(entries[position] as Entry, id);
        return bytes;
      });
    });
  }

  /** The plain bytes of a block; the last few are kept. */
  block(packId: Uint8Array, index: number): Promise<Uint8Array> {
    return remembered(this.#blocks, blocksKept, `${nameOf(packId)}/${index}`, () => this.#readBlock(packId, index));
  }

  layout(packId: Uint8Array): Promise<PackLayout> {
    return remembered(this.#layouts, layoutsKept, nameOf(packId), () =>
      guarded(packKeyOf(packId), () => readLayout(this.#blobs, this.#keys, packId)),
    );
  }

  async #readBlock(packId: Uint8Array, index: number): Promise<Uint8Array> {
    const first = await this.layout(packId);
    try {
      return await this.#readBlockOf(first, index);
    } catch (error) {
      if (!isNotFound((error as Error).cause)) throw error;
      // The pack was written anew since, without what nobody needs, under the next revision.
      this.#layouts.delete(nameOf(packId));
      return this.#readBlockOf(await this.layout(packId), index);
    }
  }

  #readBlockOf(layout: PackLayout, index: number): Promise<Uint8Array> {
    return guarded(layout.objectKey, async () => {
      const { start, end } = sealedRange(layout, index);
      const sealed = await this.#blobs.getRange(layout.objectKey, start, end - start);
      return openApart(layout, sealed, index);
    });
  }
}

function sealedRange({ starts, sizes }: PackLayout, index: number): { readonly start: number; readonly end: number } {
  const [start, size] = [starts[index], sizes[index]];
  if (start === undefined || size === undefined) throw new Error(`there is no block ${index}`);
  return { start, end: start + size };
}

/** Throws `SnapshotDamaged` when the id of the bytes read for an entry is not the entry's. */
function requireSameId(entry: Entry, id: Uint8Array): void {
  if (!Buffer.from(id.buffer, id.byteOffset, id.length).equals(entry.id)) throw notHeld(entry);
}

function notHeld({ packId, blockIndex }: Entry): SnapshotDamaged {
  const objectKey = packKeyOf(packId);
  return new SnapshotDamaged(
    objectKey,
    `block ${blockIndex} of ${objectKey} does not hold the chunk that is looked for`,
  );
}

/** Where a pack's blocks are, whichever of its revisions is stored (the oldest, which holds the most). Throws on a pack that is not there or shows no blocks. */
export async function readLayout(blobs: BlobStore, keys: StoreKeys, packId: Uint8Array): Promise<PackLayout> {
  const plain = packKeyOf(packId);
  let found = await blobs.stat(plain);
  if (found === undefined) {
    for await (const entry of blobs.list(`${plain}.`)) {
      const revision = parsePackKey(entry.key)?.revision;
      if (revision === undefined) continue;
      if (found === undefined || revision < (parsePackKey(found.key)?.revision ?? 0)) found = entry;
    }
  }
  if (found === undefined) throw new Error("it is missing");
  return layoutOf(blobs, keys, found);
}

/** Throws on an object that shows no blocks. */
export async function layoutOf(
  blobs: BlobStore,
  keys: StoreKeys,
  { key: objectKey, sizeBytes }: { readonly key: string; readonly sizeBytes: number },
): Promise<PackLayout> {
  const parsed = parsePackKey(objectKey);
  if (parsed === undefined) throw new Error("it has no key of a pack");
  const pack = { ...parsed, key: keys.packKey(parsed.id) };
  let sizes: readonly number[];
  try {
    sizes = await sizesFromTrailer(blobs, pack, objectKey, sizeBytes);
  } catch (error) {
    if (error instanceof BlobError && error.code !== "blob_range") throw error;
    // The headers of the blocks say the same, and a hurt trailer hurts no document.
    sizes = await sizesFromHeaders(blobs, objectKey, sizeBytes);
  }
  const starts: number[] = [];
  let position = packHeaderLength;
  for (const size of sizes) {
    starts.push(position);
    position += size;
  }
  return { ...pack, objectKey, starts, sizes, sizeBytes };
}

async function sizesFromTrailer(
  blobs: BlobStore,
  pack: PackIdentity,
  objectKey: string,
  sizeBytes: number,
): Promise<number[]> {
  if (sizeBytes < packHeaderLength + packEndLength) throw new Error("it is cut short");
  const end = await blobs.getRange(objectKey, sizeBytes - packEndLength, packEndLength);
  const trailerLength = trailerLengthOf(end);
  const trailerStart = sizeBytes - packEndLength - trailerLength;
  if (trailerStart < packHeaderLength) throw new Error("its end is wrong");
  const table = openBlock(pack, await blobs.getRange(objectKey, trailerStart, trailerLength), trailerIndex);
  const sizes = Array.from({ length: table.length / 4 }, (_, index) => table.readUInt32LE(index * 4));
  if (packHeaderLength + sizes.reduce((sum, size) => sum + size, 0) !== trailerStart)
    throw new Error("its blocks do not fill it");
  return sizes;
}

/** Blocks stand one behind the other in the order of their numbers; what follows the last whole one is not looked at. */
async function sizesFromHeaders(blobs: BlobStore, objectKey: string, sizeBytes: number): Promise<number[]> {
  const sizes: number[] = [];
  let position = packHeaderLength;
  while (position + blockHeaderLength <= sizeBytes) {
    const header = readBlockHeader(await blobs.getRange(objectKey, position, blockHeaderLength));
    if (header?.index !== sizes.length || position + header.sizeBytes > sizeBytes) break;
    sizes.push(header.sizeBytes);
    position += header.sizeBytes;
  }
  if (sizes.length === 0) throw new Error("neither its trailer nor its blocks can be read");
  return sizes;
}

function nameOf(packId: Uint8Array): string {
  return Buffer.from(packId.buffer, packId.byteOffset, packId.length).toString("latin1");
}

function isNotFound(error: unknown): boolean {
  return error instanceof BlobError && error.code === "blob_not_found";
}

/** Any failure to read stored bytes says which object they are of. */
async function guarded<Result>(objectKey: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SnapshotDamaged) throw error;
    throw new SnapshotDamaged(objectKey, `${objectKey} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** Keeps the last results; a failure is not kept. */
function remembered<Result>(
  known: Map<string, Promise<Result>>,
  most: number,
  key: string,
  make: () => Promise<Result>,
): Promise<Result> {
  const found = known.get(key);
  if (found !== undefined) {
    known.delete(key);
    known.set(key, found);
    return found;
  }
  const made = make();
  made.catch(() => known.delete(key));
  known.set(key, made);
  if (known.size > most) known.delete(known.keys().next().value as string);
  return made;
}
