import type { BlobStore } from "../ports/blob-store.ts";
import { blockContents, type PackIdentity, releaseMemory } from "./block.ts";
import type { StoreKeys } from "./keys.ts";
import { confirmPack, putPack, type WrittenPack } from "./pack-object.ts";
import { Rooms } from "./rooms.ts";
import { sealApart } from "./threads/apart.ts";
import type { LentBytes } from "./threads/jobs.ts";
import { threadsMax } from "./threads/threads.ts";

/** Plain bytes of a block, about. */
const blockTargetBytes = 1_048_576;
/** A pack ends when it has so many blocks, or so many stored bytes in the blocks that are sealed. */
const blocksPerPack = 96;
const packTargetBytes = 31 * 1_048_576;
/** Blocks being sealed at once, beside those being filled. */
const blocksInFlight = threadsMax * 2;
/** Packs on their way into the store, beside the one being filled. */
const packsInFlight = 1;
/** Bytes a block has room for at first: its last chunk may reach beyond the target. */
const blockRoomBytes = blockTargetBytes + 65_536;

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
  room: LentBytes;
  size: number;
}

interface OpenPack extends PackIdentity {
  /** By number; a block that is being filled has its number already. */
  readonly sealed: Map<number, Promise<Uint8Array>>;
  readonly open: Map<BlockContent, OpenBlock>;
  blockCount: number;
  sealedSizeBytes: number;
}

export interface PackWriterParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Collects bytes into blocks and blocks into packs. Blocks are sealed while further ones are filled; a pack is put into the store and read back while the next is filled.
 * Whoever adds awaits `ready` now and then, which is what holds them up when sealing or the store is behind.
 */
export class PackWriter {
  readonly #parts: PackWriterParts;
  readonly #snapshotId: Buffer;
  readonly #written: WrittenPack[] = [];
  readonly #rooms = new Rooms(blockRoomBytes);
  readonly #blocksInFlight = new Set<Promise<unknown>>();
  readonly #packsInFlight = new Set<Promise<unknown>>();
  #pack: OpenPack | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: PackWriterParts, snapshotId: string) {
    this.#parts = parts;
    this.#snapshotId = Buffer.from(snapshotId, "hex");
  }

  /** Takes a copy of bytes. */
  add(bytes: Uint8Array, content: BlockContent): Placement {
    const pack = (this.#pack ??= this.#open());
    let block = pack.open.get(content);
    if (block === undefined) {
      block = { index: pack.blockCount, room: this.#rooms.take(), size: 0 };
      pack.blockCount += 1;
      pack.open.set(content, block);
    }
    const placement = { packId: pack.id, blockIndex: block.index, offset: block.size };
    if (block.size + bytes.length > block.room.length)
      block.room = this.#rooms.larger(block.room, block.size, bytes.length);
    block.room.set(bytes, block.size);
    block.size += bytes.length;
    if (block.size >= blockTargetBytes) {
      this.#endBlock(pack, content, block);
      if (pack.blockCount >= blocksPerPack || pack.sealedSizeBytes >= packTargetBytes) this.#endPack(pack);
    }
    return placement;
  }

  /** Resolves once sealing and the store have caught up far enough. Throws what went wrong with anything added before. */
  async ready(): Promise<void> {
    while (this.#blocksInFlight.size > blocksInFlight) await Promise.race(this.#blocksInFlight);
    while (this.#packsInFlight.size > packsInFlight) await Promise.race(this.#packsInFlight);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Puts what is left; every pack is durable and was read back then. */
  async finish(): Promise<readonly WrittenPack[]> {
    if (this.#pack !== undefined) this.#endPack(this.#pack);
    await this.settled();
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#written;
  }

  /** Resolves when nothing of this is under way any more, however it went. */
  async settled(): Promise<void> {
    await Promise.all([...this.#blocksInFlight, ...this.#packsInFlight]);
  }

  #open(): OpenPack {
    const id = Buffer.concat([this.#snapshotId, this.#parts.randomBytes(8)]);
    return {
      id,
      revision: 0,
      key: this.#parts.keys.packKey(id),
      sealed: new Map(),
      open: new Map(),
      blockCount: 0,
      sealedSizeBytes: 0,
    };
  }

  #endBlock(pack: OpenPack, content: BlockContent, block: OpenBlock): void {
    pack.open.delete(content);
    const sealed = this.#seal(pack, content, block);
    pack.sealed.set(block.index, sealed);
    this.#track(this.#blocksInFlight, sealed);
  }

  async #seal(pack: OpenPack, content: BlockContent, { index, room, size }: OpenBlock): Promise<Uint8Array> {
    const nonce = this.#parts.randomBytes(12);
    const block = { bytes: room, length: size, index, content: blockContents[content], nonce };
    const { sealed, bytes } = await sealApart(pack, block);
    this.#rooms.giveBack(bytes);
    pack.sealedSizeBytes += sealed.length;
    return sealed;
  }

  #endPack(pack: OpenPack): void {
    this.#pack = undefined;
    for (const [content, block] of pack.open) this.#endBlock(pack, content, block);
    this.#track(this.#packsInFlight, this.#store(pack));
  }

  async #store(pack: OpenPack): Promise<void> {
    const blocks: Uint8Array[] = [];
    for (let index = 0; index < pack.blockCount; index += 1) {
      const sealed = pack.sealed.get(index);
      if (sealed !== undefined) blocks.push(await sealed);
    }
    // Another's failure has the snapshot given up; nothing more of it need be stored.
    if (this.#failure !== undefined) return;
    const written = await putPack(this.#parts, pack, blocks);
    for (const block of blocks) releaseMemory(block);
    await confirmPack(this.#parts.blobs, written);
    this.#written.push(written);
  }

  /** What is in flight never rejects: the first failure is kept, and told by `ready` and `finish`. */
  #track(inFlight: Set<Promise<unknown>>, work: Promise<unknown>): void {
    const ended = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => inFlight.delete(ended));
    inFlight.add(ended);
  }
}
