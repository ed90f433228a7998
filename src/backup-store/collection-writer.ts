import { setImmediate as nextTurn } from "node:timers/promises";
import type { CollectionWriter, WrittenCollection } from "../ports/snapshot-repository.ts";
import { Chunker } from "./chunker.ts";
import type { CollectionTree } from "./collection-tree.ts";
import type { StoreKeys } from "./keys.ts";
import type { PackWriter } from "./pack-writer.ts";
import type { Rooms } from "./rooms.ts";
import { Slab } from "./slab.ts";
import { identifyApart } from "./threads/apart.ts";
import type { Tree } from "./tree.ts";

export interface CollectionWriterParts {
  readonly keys: StoreKeys;
  readonly packs: PackWriter;
  readonly tree: CollectionTree;
  readonly rooms: Rooms;
  readonly ended: (tree: Tree, written: WrittenCollection) => void;
}

/** Chunks that are looked for and placed before others get a turn. */
const chunksPerTurn = 128;

/** Slabs of one collection whose chunks are being hashed or stored, beside the one being filled; and so many bytes in them, when documents are large. */
const slabsInFlight = 2;
const bytesInFlight = 4 * 1_048_576;

/** Cuts the documents of one collection into chunks and stores those that are not stored yet. Chunks are hashed in other threads, a slab of them at a time, and stored in their order. */
export class StoreCollectionWriter implements CollectionWriter {
  readonly #parts: CollectionWriterParts;
  readonly #chunker: Chunker;
  readonly #inFlight: { readonly sizeBytes: number; readonly stored: Promise<void> }[] = [];
  #slab: Slab | undefined;
  #failed = false;

  constructor(parts: CollectionWriterParts) {
    this.#parts = parts;
    this.#chunker = new Chunker(parts.keys);
  }

  async write(documents: Uint8Array): Promise<void> {
    this.#requireSound();
    // Until all of it is taken: after a failure nobody knows which of the documents are in.
    this.#failed = true;
    for (const chunk of this.#chunker.push(documents)) {
      const slab = (this.#slab ??= new Slab(this.#parts.rooms));
      slab.add(chunk);
      if (!slab.isFull) continue;
      this.#handOn(slab);
      await nextTurn();
      while (this.#isAhead) await this.#inFlight.shift()?.stored;
    }
    this.#failed = false;
  }

  async end(): Promise<WrittenCollection> {
    this.#requireSound();
    this.#failed = true;
    const last = this.#chunker.finish();
    if (last !== undefined) (this.#slab ??= new Slab(this.#parts.rooms)).add(last);
    if (this.#slab !== undefined) this.#handOn(this.#slab);
    // The last one waits for those before it.
    await this.#inFlight.at(-1)?.stored;
    const { tree, written } = await this.#parts.tree.end();
    this.#parts.ended(tree, written);
    return written;
  }

  #requireSound(): void {
    if (this.#failed)
      throw new Error(
        "the collection has ended, or a write to it failed or has not ended; the snapshot can only be aborted",
      );
  }

  get #isAhead(): boolean {
    const sizeBytes = this.#inFlight.reduce((sum, slab) => sum + slab.sizeBytes, 0);
    return this.#inFlight.length > slabsInFlight || sizeBytes > bytesInFlight;
  }

  #handOn(slab: Slab): void {
    this.#slab = undefined;
    const stored = this.#store(slab, this.#inFlight.at(-1)?.stored);
    // Whoever writes next sees a failure; until then it must not count as unhandled.
    stored.catch(() => undefined);
    this.#inFlight.push({ sizeBytes: slab.sizeBytes, stored });
  }

  async #store({ bytes, stretches, chunks }: Slab, before: Promise<void> | undefined): Promise<void> {
    const identified = identifyApart(this.#parts.keys.chunkIdKey, bytes, stretches, { hasRoom: true });
    await Promise.all([identified, before]);
    const { bytes: room, ids } = await identified;
    for (const [index, chunk] of chunks.entries()) {
      const { start, end } = stretches[index] as Slab["stretches"][number];
      const stored = this.#parts.tree.store(ids[index] as Uint8Array, room.subarray(start, end), chunk);
      if (stored !== undefined) await stored;
      if (index % chunksPerTurn === chunksPerTurn - 1) await nextTurn();
    }
    this.#parts.rooms.giveBack(room);
    await this.#parts.packs.ready();
  }
}
