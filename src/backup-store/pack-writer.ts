import { createHash } from "node:crypto";
import type { BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged } from "../ports/snapshot-repository.ts";
import { blockContents, type PackIdentity, packEnd, packHeader, sealBlock, trailerIndex } from "./block.ts";
import { packKeyOf } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";

/** Plain bytes of a block, about. */
const blockTargetBytes = 1_048_576;
/** A pack ends when it has so many blocks, or so many stored bytes in the blocks that are sealed. */
const blocksPerPack = 96;
const packTargetBytes = 31 * 1_048_576;
/** Blocks being compressed at once, beside those being filled. */
const blocksInFlight = 3;
/** Bytes a block has room for at first: its last chunk may reach beyond the target. */
const blockRoomBytes = blockTargetBytes + 65_536;
/** Rooms of sealed blocks that are kept for the next ones. */
const roomsKept = 4;

/** What stands in a block: documents are read often and pages all at once, so that they do not share blocks. */
export type BlockContent = "chunks" | "pages";

/** Where bytes were put. */
export interface Placement {
  readonly packId: Uint8Array;
  readonly blockIndex: number;
  readonly offset: number;
}

interface OpenBlock {
  readonly index: number;
  buffer: Buffer;
  size: number;
}

interface OpenPack extends PackIdentity {
  /** By number; a block that is being filled has its number already. */
  readonly sealed: Map<number, Promise<Buffer>>;
  readonly open: Map<BlockContent, OpenBlock>;
  readonly inFlight: Promise<Buffer>[];
  blockCount: number;
  sealedSizeBytes: number;
}

/** A pack that is in the store, with what must be read back. */
export interface WrittenPack {
  readonly id: Uint8Array;
  readonly objectKey: string;
  readonly blockSizes: readonly number[];
  readonly sizeBytes: number;
  /** SHA-256 of the object. */
  readonly hash: Uint8Array;
}

export interface PackWriterParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Collects bytes into blocks and blocks into packs, and puts packs into the store. */
export class PackWriter {
  readonly #parts: PackWriterParts;
  readonly #snapshotId: Buffer;
  readonly #written: WrittenPack[] = [];
  readonly #rooms: Buffer[] = [];
  #pack: OpenPack | undefined;

  constructor(parts: PackWriterParts, snapshotId: string) {
    this.#parts = parts;
    this.#snapshotId = Buffer.from(snapshotId, "hex");
  }

  /** Takes a copy of bytes. Waits when compression or the store is behind. */
  async add(bytes: Uint8Array, content: BlockContent): Promise<Placement> {
    const pack = (this.#pack ??= this.#open());
    let block = pack.open.get(content);
    if (block === undefined) {
      block = { index: pack.blockCount, buffer: this.#rooms.pop() ?? Buffer.allocUnsafeSlow(blockRoomBytes), size: 0 };
      pack.blockCount += 1;
      pack.open.set(content, block);
    }
    const placement = { packId: pack.id, blockIndex: block.index, offset: block.size };
    if (block.size + bytes.length > block.buffer.length)
      block.buffer = Buffer.concat([block.buffer.subarray(0, block.size)], block.size + bytes.length);
    block.buffer.set(bytes, block.size);
    block.size += bytes.length;
    if (block.size >= blockTargetBytes) {
      await this.#endBlock(pack, content, block);
      if (pack.blockCount >= blocksPerPack || pack.sealedSizeBytes >= packTargetBytes) await this.#endPack(pack);
    }
    return placement;
  }

  /** Puts what is left; every pack is durable then. */
  async finish(): Promise<readonly WrittenPack[]> {
    if (this.#pack !== undefined) await this.#endPack(this.#pack);
    return this.#written;
  }

  #open(): OpenPack {
    const id = Buffer.concat([this.#snapshotId, this.#parts.randomBytes(8)]);
    return {
      id,
      revision: 0,
      key: this.#parts.keys.packKey(id),
      sealed: new Map(),
      open: new Map(),
      inFlight: [],
      blockCount: 0,
      sealedSizeBytes: 0,
    };
  }

  async #endBlock(pack: OpenPack, content: BlockContent, block: OpenBlock): Promise<void> {
    pack.open.delete(content);
    const { buffer } = block;
    const plain = buffer.subarray(0, block.size);
    const nonce = this.#parts.randomBytes(12);
    const sealed = sealBlock(pack, { plain, index: block.index, content: blockContents[content], nonce });
    // Whoever awaits it sees a failure; until then it must not count as unhandled.
    this.#whenSealed(pack, sealed, buffer).catch(() => undefined);
    pack.sealed.set(block.index, sealed);
    pack.inFlight.push(sealed);
    if (pack.inFlight.length > blocksInFlight) await pack.inFlight.shift();
  }

  async #whenSealed(pack: OpenPack, sealed: Promise<Buffer>, room: Buffer): Promise<void> {
    const { length } = await sealed;
    pack.sealedSizeBytes += length;
    // The sealed bytes are a copy, so that the room is free again.
    if (room.length === blockRoomBytes && this.#rooms.length < roomsKept) this.#rooms.push(room);
  }

  async #endPack(pack: OpenPack): Promise<void> {
    this.#pack = undefined;
    for (const [content, block] of pack.open) await this.#endBlock(pack, content, block);
    const blocks: Buffer[] = [];
    for (let index = 0; index < pack.blockCount; index += 1) blocks.push((await pack.sealed.get(index)) as Buffer);
    this.#written.push(await putPack(this.#parts, pack, blocks));
  }
}

/** Puts a pack of sealed blocks, which are in the order of their numbers. */
export async function putPack(
  { blobs, randomBytes }: PackWriterParts,
  pack: PackIdentity,
  blocks: readonly Buffer[],
): Promise<WrittenPack> {
  const table = Buffer.alloc(blocks.length * 4);
  for (const [index, block] of blocks.entries()) table.writeUInt32LE(block.length, index * 4);
  const trailer = await sealBlock(pack, {
    plain: table,
    index: trailerIndex,
    content: blockContents.trailer,
    nonce: randomBytes(12),
  });
  const parts = [packHeader(pack), ...blocks, trailer, packEnd(trailer.length)];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const objectKey = packKeyOf(pack.id, pack.revision);
  await blobs.put(objectKey, parts);
  return {
    id: pack.id,
    objectKey,
    blockSizes: blocks.map((block) => block.length),
    sizeBytes: parts.reduce((sum, part) => sum + part.length, 0),
    hash: hash.digest(),
  };
}

/** Reads a pack back from the store and compares; each of its blocks was proven to decode to what it was made of before it was put. Throws `SnapshotDamaged`. */
export async function confirmPack(blobs: BlobStore, { objectKey, sizeBytes, hash }: WrittenPack): Promise<void> {
  const bytes = await blobs.get(objectKey);
  if (bytes.length !== sizeBytes)
    throw new SnapshotDamaged(objectKey, `${objectKey} has ${bytes.length} bytes where ${sizeBytes} were written`);
  if (!createHash("sha256").update(bytes).digest().equals(hash))
    throw new SnapshotDamaged(objectKey, `${objectKey} does not read back as it was written`);
}
