import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type ComparedCollection,
  SnapshotDamaged,
  type SnapshotFacts,
  type SnapshotReader,
  type StoredCollection,
} from "../ports/snapshot-repository.ts";
import { type Chunk, Chunker } from "./chunker.ts";
import type { Entry } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { Manifest, ManifestCollection } from "./manifest.ts";
import type { PackReader } from "./pack-reader.ts";
import { chunksOf } from "./tree.ts";

const outputBytes = 1_048_576;

/** Reads one snapshot. */
export class StoreSnapshotReader implements SnapshotReader {
  readonly #manifest: Manifest;
  readonly #packs: PackReader;
  readonly #keys: StoreKeys;

  constructor(manifest: Manifest, packs: PackReader, keys: StoreKeys) {
    this.#manifest = manifest;
    this.#packs = packs;
    this.#keys = keys;
  }

  get facts(): SnapshotFacts {
    return this.#manifest.facts;
  }

  get collections(): readonly StoredCollection[] {
    return this.#manifest.collections;
  }

  async *documents(database: string, name: string): AsyncIterable<Uint8Array> {
    const collection = this.#collection(database, name);
    let parts: Uint8Array[] = [];
    let size = 0;
    for await (const entry of chunksOf(this.#packs, collection.tree)) {
      const bytes = await this.#read(collection, entry);
      parts.push(bytes);
      size += bytes.length;
      if (size < outputBytes) continue;
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
    if (size > 0) yield Buffer.concat(parts);
  }

  async compare(database: string, name: string, documents: AsyncIterable<Uint8Array>): Promise<ComparedCollection> {
    const collection = this.#collection(database, name);
    const expected = chunksOf(this.#packs, collection.tree);
    const chunker = new Chunker(this.#keys);
    const totals = { documentCount: 0, dataSizeBytes: 0 };
    let equal = true;
    const meet = async (chunk: Chunk): Promise<void> => {
      totals.documentCount += chunk.documentCount;
      totals.dataSizeBytes += chunk.bytes.length;
      if (!equal) return;
      const next = await expected.next();
      equal = next.done !== true && this.#keys.chunkId(chunk.bytes).equals(next.value.id);
    };
    for await (const piece of documents) {
      for (const chunk of chunker.push(piece)) await meet(chunk);
      await nextTurn();
    }
    const last = chunker.finish();
    if (last !== undefined) await meet(last);
    return { ...totals, equal: equal && (await expected.next()).done === true };
  }

  async verify(signal?: AbortSignal): Promise<void> {
    for (const collection of this.#manifest.collections) {
      let documentCount = 0;
      for await (const entry of chunksOf(this.#packs, collection.tree)) {
        signal?.throwIfAborted();
        await this.#read(collection, entry);
        documentCount += entry.documentCount;
        await nextTurn();
      }
      if (documentCount !== collection.documentCount) {
        throw new SnapshotDamaged(
          this.#manifest.snapshotId,
          `${collection.database}.${collection.name} holds ${documentCount} documents where the manifest counts ${collection.documentCount}`,
        );
      }
    }
  }

  #collection(database: string, name: string): ManifestCollection {
    const found = this.#manifest.collections.find(
      (collection) => collection.database === database && collection.name === name,
    );
    if (found === undefined) throw new Error(`the snapshot has no collection ${database}.${name}`);
    return found;
  }

  async #read({ database, name }: ManifestCollection, entry: Entry): Promise<Uint8Array> {
    try {
      return await this.#packs.read(entry);
    } catch (error) {
      if (!(error instanceof SnapshotDamaged)) throw error;
      const from = Buffer.from(entry.firstId).toString("hex");
      throw new SnapshotDamaged(
        error.objectKey,
        `${error.message}; ${entry.documentCount} documents of ${database}.${name} from the _id with bytes ${from} on are hurt`,
        { cause: error },
      );
    }
  }
}
