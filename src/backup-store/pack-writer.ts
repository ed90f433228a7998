import type { BlobStore } from "../ports/blob-store.ts";
import { blockContents, type PackIdentity, releaseMemory } from "./block.ts";
import type { StoreKeys } from "./keys.ts";
import { confirmPack, putPack, type WrittenPack } from "./pack-object.ts";
import { copyTo, Rooms } from "./rooms.ts";
import { sealAllApart } from "./threads/apart.ts";
import type { LentBytes } from "./threads/jobs.ts";
import { threadsMax } from "./threads/threads.ts";

/**
 * Plain bytes of a block, about. Of chunks a few wanted ones are read out of many by snapshots that are made of the operation log, and a block is opened whole. With blocks of
 * 128 KiB everything that is done once a block makes a full read a tenth slower, with larger ones than these it is no quicker. Pages are read all at once.
 */
const blockTargetBytes = { chunks: 196_608, pages: 1_048_576 } as const;
/** Bytes of blocks that are filled one behind the other, and sealed at once in another thread. */
const roomTargetBytes = 1_048_576;
/** A pack ends when it has so many rooms of blocks, or so many stored bytes in the blocks that are sealed. */
const roomsPerPack = 96;
const packTargetBytes = 31 * 1_048_576;
/** Rooms of blocks being sealed at once, beside those being filled. */
const roomsInFlight = threadsMax * 2;
/** Packs on their way into the store, beside the one being filled. */
const packsInFlight = 1;
/** Bytes a room has at first: its last block, and the last chunk in that, may reach beyond the target. */
const roomBytes = roomTargetBytes + blockTargetBytes.chunks + 65_536;

/** What stands in a block: documents are read often and pages all at once, so that they do not share blocks. */
export type BlockContent = "chunks" | "pages";

/** Where bytes were put. */
export interface Placement {
  readonly packId: Uint8Array;
  readonly blockIndex: number;
  readonly offset: number;
}

interface OpenRoom {
  readonly blocks: { readonly index: number; readonly start: number; end: number }[];
  room: LentBytes;
  size: number;
}

interface OpenPack extends PackIdentity {
  /** By number; a block that is being filled has its number already. */
  readonly sealed: Map<number, Promise<Uint8Array>>;
  readonly open: Map<BlockContent, OpenRoom>;
  roomCount: number;
  blockCount: number;
  sealedSizeBytes: number;
}

export interface PackWriterParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Collects bytes into blocks and blocks into packs. Blocks are sealed, some at once, while further ones are filled; a pack is put into the store and read back while the next is filled.
 * Whoever adds awaits `ready` now and then, which is what holds them up when sealing or the store is behind.
 */
export class PackWriter {
  readonly #parts: PackWriterParts;
  readonly #snapshotId: Buffer;
  readonly #written: WrittenPack[] = [];
  readonly #rooms = new Rooms(roomBytes);
  readonly #roomsInFlight = new Set<Promise<unknown>>();
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
    let open = pack.open.get(content);
    if (open === undefined) {
      open = { blocks: [], room: this.#rooms.take(), size: 0 };
      pack.roomCount += 1;
      pack.open.set(content, open);
    }
    let block = open.blocks.at(-1);
    if (block === undefined || block.end - block.start >= blockTargetBytes[content]) {
      block = { index: pack.blockCount, start: open.size, end: open.size };
      pack.blockCount += 1;
      open.blocks.push(block);
    }
    const placement = { packId: pack.id, blockIndex: block.index, offset: block.end - block.start };
    if (open.size + bytes.length > open.room.length) open.room = this.#rooms.larger(open.room, open.size, bytes.length);
    copyTo(open.room, bytes, open.size);
    open.size += bytes.length;
    block.end = open.size;
    if (open.size >= roomTargetBytes && block.end - block.start >= blockTargetBytes[content]) {
      this.#endRoom(pack, content, open);
      if (pack.roomCount >= roomsPerPack || pack.sealedSizeBytes >= packTargetBytes) this.#endPack(pack);
    }
    return placement;
  }

  /** Resolves once sealing and the store have caught up far enough. Throws what went wrong with anything added before. */
  async ready(): Promise<void> {
    while (this.#roomsInFlight.size > roomsInFlight) await Promise.race(this.#roomsInFlight);
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
    await Promise.all([...this.#roomsInFlight, ...this.#packsInFlight]);
  }

  #open(): OpenPack {
    const id = Buffer.concat([this.#snapshotId, this.#parts.randomBytes(8)]);
    return {
      id,
      revision: 0,
      key: this.#parts.keys.packKey(id),
      sealed: new Map(),
      open: new Map(),
      roomCount: 0,
      blockCount: 0,
      sealedSizeBytes: 0,
    };
  }

  #endRoom(pack: OpenPack, content: BlockContent, open: OpenRoom): void {
    pack.open.delete(content);
    const sealed = this.#seal(pack, content, open);
    for (const [position, { index }] of open.blocks.entries()) {
      const block = sealed.then((blocks) => blocks[position] as Uint8Array);
      // Seen where the pack is put, and as the room's.
      block.catch(() => undefined);
      pack.sealed.set(index, block);
    }
    this.#track(this.#roomsInFlight, sealed);
  }

  async #seal(pack: OpenPack, content: BlockContent, { blocks, room }: OpenRoom): Promise<readonly Uint8Array[]> {
    const toSeal = blocks.map((block) => ({ ...block, nonce: this.#parts.randomBytes(12) }));
    const { sealed, bytes } = await sealAllApart(pack, room, blockContents[content], toSeal);
    this.#rooms.giveBack(bytes);
    pack.sealedSizeBytes += sealed.reduce((sum, { length }) => sum + length, 0);
    return sealed;
  }

  #endPack(pack: OpenPack): void {
    this.#pack = undefined;
    for (const [content, open] of pack.open) this.#endRoom(pack, content, open);
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
    // Those that were sealed together share theirs.
    for (const memory of new Set(blocks.map(({ buffer }) => buffer))) releaseMemory(new Uint8Array(memory));
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
