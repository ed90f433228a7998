import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type ComparedCollection,
  SnapshotDamaged,
  type SnapshotFacts,
  type SnapshotReader,
  type StoredCollection,
} from "../ports/snapshot-repository.ts";
import { ahead } from "../shared/ahead.ts";
import { type Chunk, Chunker } from "./chunker.ts";
import type { Entry } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { Manifest, ManifestCollection } from "./manifest.ts";
import type { PackReader } from "./pack-reader.ts";
import { ownMemory } from "./rooms.ts";
import { stretchesOf } from "./stretches.ts";
import { chunksOf } from "./tree.ts";

/** Bytes of chunks that are read, proven and handed out at once, about; and at most, when all are of one block. */
const runBytes = 1_048_576;
const runMaxBytes = 4_194_304;
/** Such runs that are being read behind the one in use. */
const runsAhead = 2;

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
    const runs = runsOf(chunksOf(this.#packs, collection.tree));
    yield* ahead(runs, runsAhead, (entries) => this.#read(collection, entries));
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
      const runs = runsOf(chunksOf(this.#packs, collection.tree));
      const counts = ahead(runs, runsAhead, async (entries) => {
        signal?.throwIfAborted();
        await this.#read(collection, entries);
        return entries.reduce((sum, entry) => sum + entry.documentCount, 0);
      });
      for await (const count of counts) documentCount += count;
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

  /** The bytes of chunks one behind the other. */
  async #read(collection: ManifestCollection, entries: readonly Entry[]): Promise<Uint8Array> {
    let size = 0;
    const chunks = entries.map((entry) => {
      size += entry.length;
      return { entry, start: size - entry.length };
    });
    const bytes = ownMemory(size);
    for await (const stretch of stretchesOf(this.#packs, chunks)) {
      // One by one when that fails: the pack may have been written anew meanwhile, and of a damaged one it is to be told what is hurt.
      const read = await this.#packs.readNear(stretch.map(({ entry }) => entry)).catch(() => undefined);
      for (const [position, { entry, start }] of stretch.entries())
        bytes.set(read?.[position] ?? (await this.#guarded(collection, entry, () => this.#packs.read(entry))), start);
    }
    return bytes;
  }

  /** Damage says which documents it hurts. */
  async #guarded<Result>(
    { database, name }: ManifestCollection,
    entry: Entry,
    read: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await read();
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

/** Chunks that are read at once; those of one block, when it is not too large. */
async function* runsOf(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[]> {
  let run: Entry[] = [];
  let size = 0;
  let last: Entry | undefined;
  for await (const entry of entries) {
    if (size >= runMaxBytes || (size >= runBytes && last !== undefined && !isSameBlock(last, entry))) {
      yield run;
      run = [];
      size = 0;
    }
    run.push(entry);
    size += entry.length;
    last = entry;
  }
  if (run.length > 0) yield run;
}

function isSameBlock(one: Entry, other: Entry): boolean {
  return one.blockIndex === other.blockIndex && Buffer.compare(one.packId, other.packId) === 0;
}
