import { createHash } from "node:crypto";
import type { BlobStore } from "../ports/blob-store.ts";
import { openBlock, packEnd, packEndLength, packHeader, packHeaderLength, sealBlock, trailerIndex } from "./block.ts";
import { packKeyOf } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";

/** Plain bytes of a block, about. */
const blockTargetBytes = 1_048_576;
/** Blocks of a pack: about 16 to 32 MiB as data usually compresses. */
const blocksPerPack = 64;
/** Blocks being compressed at once, beside the one being filled. */
const blocksInFlight = 3;

/** Where bytes were put. */
export interface Placement {
  readonly packId: Uint8Array;
  readonly blockIndex: number;
  readonly offset: number;
}

interface OpenPack {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly blocks: Promise<Buffer>[];
  readonly hashes: Buffer[];
}

/** A pack that is in the store, with what its blocks must decode to. */
export interface WrittenPack {
  readonly id: Uint8Array;
  readonly blockSizes: readonly number[];
  readonly hashes: readonly Buffer[];
  readonly sizeBytes: number;
}

/** Collects bytes into blocks and blocks into packs, and puts packs into the store. */
export class PackWriter {
  readonly #blobs: BlobStore;
  readonly #keys: StoreKeys;
  readonly #randomBytes: (length: number) => Uint8Array;
  readonly #snapshotId: Buffer;
  readonly #written: WrittenPack[] = [];
  #pack: OpenPack | undefined;
  #parts: Uint8Array[] = [];
  #size = 0;

  constructor(blobs: BlobStore, keys: StoreKeys, snapshotId: string, randomBytes: (length: number) => Uint8Array) {
    this.#blobs = blobs;
    this.#keys = keys;
    this.#randomBytes = randomBytes;
    this.#snapshotId = Buffer.from(snapshotId, "hex");
  }

  /** Takes bytes; they must not be changed afterwards. Waits when compression or the store is behind. */
  async add(bytes: Uint8Array): Promise<Placement> {
    const pack = (this.#pack ??= this.#open());
    const placement = { packId: pack.id, blockIndex: pack.blocks.length, offset: this.#size };
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= blockTargetBytes) await this.#endBlock(pack);
    return placement;
  }

  /** Puts what is left; every pack is durable then. */
  async finish(): Promise<readonly WrittenPack[]> {
    if (this.#pack !== undefined) await this.#endPack(this.#pack);
    return this.#written;
  }

  #open(): OpenPack {
    const id = Buffer.concat([this.#snapshotId, this.#randomBytes(8)]);
    return { id, key: this.#keys.packKey(id), blocks: [], hashes: [] };
  }

  async #endBlock(pack: OpenPack): Promise<void> {
    const plain = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    const index = pack.blocks.length;
    pack.hashes.push(createHash("sha256").update(plain).digest());
    const sealed = sealBlock(plain, pack.key, pack.id, index, this.#randomBytes(12));
    // Whoever awaits it sees the failure; until then it must not count as unhandled.
    sealed.catch(() => undefined);
    pack.blocks.push(sealed);
    if (index >= blocksInFlight) await pack.blocks[index - blocksInFlight];
    if (pack.blocks.length === blocksPerPack) await this.#endPack(pack);
  }

  async #endPack(pack: OpenPack): Promise<void> {
    if (this.#size > 0) await this.#endBlock(pack);
    // Ending the last block may have ended the pack.
    if (this.#pack !== pack) return;
    this.#pack = undefined;
    const blocks = await Promise.all(pack.blocks);
    const table = Buffer.alloc(blocks.length * 4);
    for (const [index, block] of blocks.entries()) table.writeUInt32LE(block.length, index * 4);
    const trailer = await sealBlock(table, pack.key, pack.id, trailerIndex, this.#randomBytes(12));
    const parts = [packHeader(pack.id), ...blocks, trailer, packEnd(trailer.length)];
    await this.#blobs.put(packKeyOf(pack.id), parts);
    this.#written.push({
      id: pack.id,
      blockSizes: blocks.map((block) => block.length),
      hashes: pack.hashes,
      sizeBytes: parts.reduce((sum, part) => sum + part.length, 0),
    });
  }
}

/** Reads a pack back from the store and compares every block with what it was made of. Throws `SnapshotDamaged`. */
export async function confirmPack(blobs: BlobStore, keys: StoreKeys, pack: WrittenPack): Promise<void> {
  const objectKey = packKeyOf(pack.id);
  const bytes = await blobs.get(objectKey);
  if (bytes.length !== pack.sizeBytes)
    throw new SnapshotDamaged(objectKey, `${objectKey} has ${bytes.length} bytes where ${pack.sizeBytes} were written`);
  if (!packHeader(pack.id).equals(bytes.subarray(0, packHeaderLength)))
    throw new SnapshotDamaged(objectKey, `the beginning of ${objectKey} is not what was written`);
  const key = keys.packKey(pack.id);
  let position = packHeaderLength;
  for (const [index, size] of pack.blockSizes.entries()) {
    const plain = await openOrDamaged(bytes.subarray(position, position + size), key, pack.id, index, objectKey);
    if (
      !createHash("sha256")
        .update(plain)
        .digest()
        .equals(pack.hashes[index] as Buffer)
    )
      throw new SnapshotDamaged(objectKey, `block ${index} of ${objectKey} is not what was written`);
    position += size;
  }
  await openOrDamaged(bytes.subarray(position, bytes.length - packEndLength), key, pack.id, trailerIndex, objectKey);
}

async function openOrDamaged(
  sealed: Uint8Array,
  key: Uint8Array,
  packId: Uint8Array,
  index: number,
  objectKey: string,
): Promise<Buffer> {
  try {
    return await openBlock(sealed, key, packId, index);
  } catch (error) {
    throw new SnapshotDamaged(
      objectKey,
      `${objectKey} does not read back as it was written: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
