import type { WrittenCollection } from "../ports/snapshot-repository.ts";
import { type Chunk, firstIdOf } from "./chunker.ts";
import type { Entry } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { KnownChunks } from "./known-chunks.ts";
import type { NeededBlocks } from "./needed-blocks.ts";
import type { PackWriter } from "./pack-writer.ts";
import { type StorePage, type Tree, TreeWriter } from "./tree.ts";

export interface CollectionTreeParts {
  readonly keys: Pick<StoreKeys, "chunkId">;
  readonly packs: PackWriter;
  readonly needed: NeededBlocks;
  readonly known: KnownChunks;
}

/** Puts chunks and pages of one collection where they are not stored yet, and its tree and totals together. */
export class CollectionTree {
  readonly #parts: CollectionTreeParts;
  readonly #tree: TreeWriter;
  #documentCount = 0;
  #dataSizeBytes = 0;

  constructor(parts: CollectionTreeParts, options: { readonly fingerprint: boolean }) {
    this.#parts = parts;
    this.#tree = new TreeWriter((bytes, totals) => this.#storePage(bytes, totals), options);
  }

  /** Takes the next chunk; its bytes, which have the id, are copied. A promise only when something must be read or a page ended. */
  store(id: Uint8Array, bytes: Uint8Array, chunk: Omit<Chunk, "bytes">): Promise<void> | undefined {
    const found = this.#parts.known.findChunk(id, firstIdOf(bytes, chunk));
    return found instanceof Promise
      ? found.then((known) => this.keep(known ?? this.#add(id, bytes, chunk)))
      : this.keep(found ?? this.#add(id, bytes, chunk));
  }

  /** Takes a chunk that is stored. A promise only when a page ended. */
  keep(entry: Entry): Promise<void> | undefined {
    this.#parts.needed.add(entry);
    this.#documentCount += entry.documentCount;
    this.#dataSizeBytes += entry.length;
    return this.#tree.add(entry);
  }

  async end(): Promise<{ readonly tree: Tree; readonly written: WrittenCollection }> {
    const tree = await this.#tree.finish();
    await this.#parts.packs.ready();
    for (const entry of tree.entries) this.#parts.needed.add(entry);
    const totals = { documentCount: this.#documentCount, dataSizeBytes: this.#dataSizeBytes };
    return { tree, written: { ...totals, fingerprint: this.#tree.fingerprint() } };
  }

  #add(id: Uint8Array, bytes: Uint8Array, chunk: Omit<Chunk, "bytes">): Entry {
    const { documentCount } = chunk;
    const firstId = Uint8Array.from(firstIdOf(bytes, chunk));
    const placement = this.#parts.packs.add(bytes, "chunks");
    const entry = { id, length: bytes.length, documentCount, dataSizeBytes: bytes.length, firstId, ...placement };
    this.#parts.known.stored(entry);
    return entry;
  }

  #storePage: StorePage = async (bytes, totals) => {
    const { keys, known, packs, needed } = this.#parts;
    const id = keys.chunkId(bytes);
    const { packId, blockIndex, offset } = known.findPage(id) ?? packs.add(bytes, "pages");
    const entry = { id, length: bytes.length, ...totals, packId, blockIndex, offset };
    needed.add(entry);
    return entry;
  };
}
