import type { CollectionTotals, CollectionWriter } from "../ports/snapshot-repository.ts";
import { Chunker } from "./chunker.ts";
import type { Entry } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { KnownChunks } from "./known-chunks.ts";
import type { NeededBlocks } from "./needed-blocks.ts";
import type { PackWriter } from "./pack-writer.ts";
import type { Rooms } from "./rooms.ts";
import { Slab } from "./slab.ts";
import { identifyApart } from "./threads/apart.ts";
import { type Tree, TreeWriter } from "./tree.ts";

export interface CollectionWriterParts {
  readonly keys: StoreKeys;
  readonly packs: PackWriter;
  readonly needed: NeededBlocks;
  readonly known: KnownChunks;
  readonly rooms: Rooms;
  readonly ended: (tree: Tree, totals: CollectionTotals) => void;
}

/** Slabs of one collection whose chunks are being hashed or stored, beside the one being filled. */
const slabsInFlight = 2;

/** Cuts the documents of one collection into chunks and stores those that are not stored yet. Chunks are hashed in other threads, a slab of them at a time, and stored in their order. */
export class StoreCollectionWriter implements CollectionWriter {
  readonly #parts: CollectionWriterParts;
  readonly #chunker: Chunker;
  readonly #tree: TreeWriter;
  readonly #inFlight: Promise<void>[] = [];
  #slab: Slab | undefined;
  #documentCount = 0;
  #dataSizeBytes = 0;
  #failed = false;

  constructor(parts: CollectionWriterParts) {
    this.#parts = parts;
    this.#chunker = new Chunker(parts.keys);
    this.#tree = new TreeWriter((bytes, totals) => this.#storePage(bytes, totals));
  }

  async write(documents: Uint8Array): Promise<void> {
    this.#requireSound();
    // Until all of it is taken: after a failure nobody knows which of the documents are in.
    this.#failed = true;
    for (const chunk of this.#chunker.push(documents)) {
      const slab = (this.#slab ??= new Slab(this.#parts.rooms.take()));
      slab.add(chunk);
      if (!slab.isFull) continue;
      this.#handOn(slab);
      if (this.#inFlight.length > slabsInFlight) await this.#inFlight.shift();
    }
    this.#failed = false;
  }

  async end(): Promise<CollectionTotals> {
    this.#requireSound();
    this.#failed = true;
    const last = this.#chunker.finish();
    if (last !== undefined) (this.#slab ??= new Slab(this.#parts.rooms.take())).add(last);
    if (this.#slab !== undefined) this.#handOn(this.#slab);
    // The last one waits for those before it.
    await this.#inFlight.at(-1);
    const totals = { documentCount: this.#documentCount, dataSizeBytes: this.#dataSizeBytes };
    const tree = await this.#tree.finish();
    await this.#parts.packs.ready();
    for (const entry of tree.entries) this.#parts.needed.add(entry);
    this.#parts.ended(tree, totals);
    return totals;
  }

  #requireSound(): void {
    if (this.#failed)
      throw new Error(
        "the collection has ended, or a write to it failed or has not ended; the snapshot can only be aborted",
      );
  }

  #handOn(slab: Slab): void {
    this.#slab = undefined;
    const stored = this.#store(slab, this.#inFlight.at(-1));
    // Whoever writes next sees a failure; until then it must not count as unhandled.
    stored.catch(() => undefined);
    this.#inFlight.push(stored);
  }

  async #store({ bytes, ends, chunks }: Slab, before: Promise<void> | undefined): Promise<void> {
    const identified = identifyApart(this.#parts.keys.chunkIdKey, bytes, ends);
    await Promise.all([identified, before]);
    const { bytes: room, ids } = await identified;
    let start = 0;
    for (const [index, chunk] of chunks.entries()) {
      const end = ends[index] as number;
      const stored = this.#storeChunk(ids[index] as Uint8Array, room.subarray(start, end), chunk);
      if (stored !== undefined) await stored;
      start = end;
    }
    this.#parts.rooms.giveBack(room);
    await this.#parts.packs.ready();
  }

  /** A promise only when something must be read or a page ended. */
  #storeChunk(id: Uint8Array, bytes: Uint8Array, chunk: Slab["chunks"][number]): Promise<void> | undefined {
    const found = this.#parts.known.findChunk(id, chunk.firstId);
    return found instanceof Promise
      ? found.then((known) => this.#keep(known ?? this.#add(id, bytes, chunk)))
      : this.#keep(found ?? this.#add(id, bytes, chunk));
  }

  #add(id: Uint8Array, bytes: Uint8Array, { documentCount, firstId }: Slab["chunks"][number]): Entry {
    const placement = this.#parts.packs.add(bytes, "chunks");
    const entry = { id, length: bytes.length, documentCount, dataSizeBytes: bytes.length, firstId, ...placement };
    this.#parts.known.stored(entry);
    return entry;
  }

  #keep(entry: Entry): Promise<void> | undefined {
    this.#parts.needed.add(entry);
    this.#documentCount += entry.documentCount;
    this.#dataSizeBytes += entry.length;
    return this.#tree.add(entry);
  }

  async #storePage(
    bytes: Uint8Array,
    totals: Pick<Entry, "documentCount" | "dataSizeBytes" | "firstId">,
  ): Promise<Entry> {
    const { keys, known, packs, needed } = this.#parts;
    const id = keys.chunkId(bytes);
    const found = known.findPage(id);
    const placement =
      found === undefined
        ? packs.add(bytes, "pages")
        : { packId: found.packId, blockIndex: found.blockIndex, offset: found.offset };
    const entry = { id, length: bytes.length, ...totals, ...placement };
    needed.add(entry);
    return entry;
  }
}
