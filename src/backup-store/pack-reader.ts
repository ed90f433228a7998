import { type BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";
import { openBlock, packEndLength, packHeader, packHeaderLength, trailerIndex, trailerLengthOf } from "./block.ts";
import { type Entry, packKeyOf } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";

/** Where the blocks of a pack are. */
export interface PackLayout {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly sizeBytes: number;
}

const layoutsKept = 4096;
const blocksKept = 8;

/** Reads entries out of packs. Everything it hands out was authenticated and has the id that was asked for. */
export class PackReader {
  readonly #blobs: BlobStore;
  readonly #keys: StoreKeys;
  readonly #layouts = new Map<string, Promise<PackLayout>>();
  readonly #blocks = new Map<string, Promise<Buffer>>();

  constructor(blobs: BlobStore, keys: StoreKeys) {
    this.#blobs = blobs;
    this.#keys = keys;
  }

  /** The bytes of an entry. Throws `SnapshotDamaged`. */
  async read(entry: Entry): Promise<Uint8Array> {
    const block = await this.block(entry.packId, entry.blockIndex);
    const bytes = block.subarray(entry.offset, entry.offset + entry.length);
    if (bytes.length !== entry.length || !this.#keys.chunkId(bytes).equals(entry.id)) {
      const objectKey = packKeyOf(entry.packId);
      throw new SnapshotDamaged(
        objectKey,
        `block ${entry.blockIndex} of ${objectKey} does not hold the chunk that is looked for`,
      );
    }
    return bytes;
  }

  /** The plain bytes of a block; the last few are kept. */
  block(packId: Uint8Array, index: number): Promise<Buffer> {
    return remembered(this.#blocks, blocksKept, `${Buffer.from(packId).toString("hex")}/${index}`, () =>
      this.#readBlock(packId, index),
    );
  }

  layout(packId: Uint8Array): Promise<PackLayout> {
    const key = packKeyOf(packId);
    return remembered(this.#layouts, layoutsKept, key, () => guarded(key, () => this.#readLayout(packId, key)));
  }

  async #readBlock(packId: Uint8Array, index: number): Promise<Buffer> {
    const { starts, sizes } = await this.layout(packId);
    const key = packKeyOf(packId);
    return guarded(key, async () => {
      const start = starts[index];
      if (start === undefined) throw new Error(`there is no block ${index}`);
      return openBlock(
        await this.#blobs.getRange(key, start, sizes[index] as number),
        this.#keys.packKey(packId),
        packId,
        index,
      );
    });
  }

  async #readLayout(packId: Uint8Array, key: string): Promise<PackLayout> {
    const found = await this.#blobs.stat(key);
    if (found === undefined) throw new Error("it is missing");
    const { sizeBytes } = found;
    if (sizeBytes < packHeaderLength + packEndLength) throw new Error("it is cut short");
    if (!packHeader(packId).equals(await this.#blobs.getRange(key, 0, packHeaderLength)))
      throw new Error("its beginning is not that of the pack");
    const trailerLength = trailerLengthOf(await this.#blobs.getRange(key, sizeBytes - packEndLength, packEndLength));
    const trailerStart = sizeBytes - packEndLength - trailerLength;
    if (trailerStart < packHeaderLength) throw new Error("its end is wrong");
    const table = await openBlock(
      await this.#blobs.getRange(key, trailerStart, trailerLength),
      this.#keys.packKey(packId),
      packId,
      trailerIndex,
    );
    const sizes = Array.from({ length: table.length / 4 }, (_, index) => table.readUInt32LE(index * 4));
    const starts: number[] = [];
    let position = packHeaderLength;
    for (const size of sizes) {
      starts.push(position);
      position += size;
    }
    if (position !== trailerStart) throw new Error("its blocks do not fill it");
    return { starts, sizes, sizeBytes };
  }
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
