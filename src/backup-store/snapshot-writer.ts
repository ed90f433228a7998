import { setImmediate as nextTurn } from "node:timers/promises";
import type { BlobStore } from "../ports/blob-store.ts";
import {
  type BeginSnapshot,
  type CollectionDescription,
  type CollectionTotals,
  type CollectionWriter,
  type CommittedSnapshot,
  SnapshotDamaged,
  type SnapshotFacts,
  type SnapshotWriter,
} from "../ports/snapshot-repository.ts";
import { type Chunk, Chunker } from "./chunker.ts";
import type { Entry } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import { KnownChunks } from "./known-chunks.ts";
import { type Manifest, type ManifestCollection, manifestKeyOf, openManifest, sealManifest } from "./manifest.ts";
import type { PackReader } from "./pack-reader.ts";
import { confirmPack, PackWriter } from "./pack-writer.ts";
import { NeededBlocks } from "./needed-blocks.ts";
import { type Tree, TreeWriter } from "./tree.ts";

/** Bytes that are chunked and hashed before others get a turn: about a millisecond, since blocks are sealed and opened in between. */
const stretchBytes = 262_144;

export interface WriterParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly reader: PackReader;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Writes one snapshot. */
export class StoreSnapshotWriter implements SnapshotWriter {
  readonly #parts: WriterParts;
  readonly #request: BeginSnapshot;
  readonly #parent: Manifest | undefined;
  readonly #packs: PackWriter;
  readonly #needed: NeededBlocks;
  readonly #collections: ManifestCollection[] = [];
  #open = false;
  #ended = false;

  constructor(parts: WriterParts, request: BeginSnapshot, parent: Manifest | undefined) {
    if (!/^[0-9a-f]{24}$/.test(request.snapshotId)) throw new Error("a snapshot's id has 24 hexadecimal digits");
    this.#parts = parts;
    this.#request = request;
    this.#parent = parent;
    this.#packs = new PackWriter(parts, request.snapshotId);
    this.#needed = new NeededBlocks();
  }

  async beginCollection(description: CollectionDescription): Promise<CollectionWriter> {
    if (this.#open || this.#ended) throw new Error("the collection before has not ended, or the snapshot has");
    this.#open = true;
    const before = this.#parent?.collections.find(
      ({ database, name }) => database === description.database && name === description.name,
    );
    const known = new KnownChunks(this.#parts.reader, before?.tree);
    return new StoreCollectionWriter(this.#parts.keys, this.#packs, this.#needed, known, (tree, totals) => {
      this.#collections.push({ ...description, ...totals, tree });
      this.#open = false;
    });
  }

  async commit(facts: SnapshotFacts): Promise<CommittedSnapshot> {
    if (this.#open || this.#ended) throw new Error("a collection has not ended, or the snapshot has");
    this.#ended = true;
    const { blobs, keys, randomBytes, reader } = this.#parts;
    const written = await this.#packs.finish();
    const newSizes = new Map(written.map((pack) => [Buffer.from(pack.id).toString("hex"), pack.blockSizes]));
    const blockBytes = await this.#needed.sizeBytes(
      async (packId) => newSizes.get(Buffer.from(packId).toString("hex")) ?? (await reader.layout(packId)).sizes,
    );
    const manifestKey = manifestKeyOf(this.#request.snapshotId, randomBytes(8));
    const manifest: Manifest = {
      lineageId: this.#request.lineageId,
      snapshotId: this.#request.snapshotId,
      facts,
      collections: this.#collections,
      packIds: this.#needed.packIds(),
      storageSizeBytes: blockBytes,
    };
    const sealed = sealManifest(manifest, keys, manifestKey, randomBytes(12));
    try {
      await blobs.put(manifestKey, [sealed]);
      for (const pack of written) await confirmPack(blobs, pack);
      await this.#confirmManifest(manifestKey, sealed);
    } catch (error) {
      // Whoever rebuilds a catalogue from the store must not find it. When this fails as well, it is garbage like any other.
      await blobs.delete(manifestKey).catch(() => undefined);
      throw error;
    }
    return {
      manifestKey,
      storageSizeBytes: blockBytes + sealed.length,
      addedSizeBytes: written.reduce((sum, pack) => sum + pack.sizeBytes, 0) + sealed.length,
      collectionCount: this.#collections.length,
      documentCount: this.#collections.reduce((sum, collection) => sum + collection.documentCount, 0),
      dataSizeBytes: this.#collections.reduce((sum, collection) => sum + collection.dataSizeBytes, 0),
    };
  }

  async abort(): Promise<void> {
    // What was put stays until garbage is collected; nothing refers to it.
    this.#ended = true;
  }

  async #confirmManifest(manifestKey: string, sealed: Buffer): Promise<void> {
    const stored = await this.#parts.blobs.get(manifestKey);
    if (!sealed.equals(stored))
      throw new SnapshotDamaged(manifestKey, `${manifestKey} does not read back as it was written`);
    openManifest(stored, this.#parts.keys, manifestKey);
  }
}

class StoreCollectionWriter implements CollectionWriter {
  readonly #keys: StoreKeys;
  readonly #packs: PackWriter;
  readonly #needed: NeededBlocks;
  readonly #known: KnownChunks;
  readonly #ended: (tree: Tree, totals: CollectionTotals) => void;
  readonly #chunker: Chunker;
  readonly #tree: TreeWriter;
  #documentCount = 0;
  #dataSizeBytes = 0;
  #failed = false;

  constructor(
    keys: StoreKeys,
    packs: PackWriter,
    needed: NeededBlocks,
    known: KnownChunks,
    ended: (tree: Tree, totals: CollectionTotals) => void,
  ) {
    this.#keys = keys;
    this.#packs = packs;
    this.#needed = needed;
    this.#known = known;
    this.#ended = ended;
    this.#chunker = new Chunker(keys);
    this.#tree = new TreeWriter((bytes, totals) => this.#storePage(bytes, totals));
  }

  async write(documents: Uint8Array): Promise<void> {
    this.#requireSound();
    // Until all of it is taken: after a failure nobody knows which of the documents are in.
    this.#failed = true;
    let stretch = 0;
    for (const chunk of this.#chunker.push(documents)) {
      await this.#store(chunk);
      stretch += chunk.bytes.length;
      if (stretch < stretchBytes) continue;
      stretch = 0;
      await nextTurn();
    }
    this.#failed = false;
  }

  async end(): Promise<CollectionTotals> {
    this.#requireSound();
    const last = this.#chunker.finish();
    if (last !== undefined) await this.#store(last);
    const totals = { documentCount: this.#documentCount, dataSizeBytes: this.#dataSizeBytes };
    const tree = await this.#tree.finish();
    for (const entry of tree.entries) this.#needed.add(entry);
    this.#ended(tree, totals);
    return totals;
  }

  #requireSound(): void {
    if (this.#failed)
      throw new Error("a write to the collection failed or has not ended; the snapshot can only be aborted");
  }

  async #store(chunk: Chunk): Promise<void> {
    const { bytes, documentCount, firstId } = chunk;
    const id = this.#keys.chunkId(bytes);
    const found = this.#known.findChunk(id, firstId);
    const known = found instanceof Promise ? await found : found;
    let entry: Entry;
    if (known === undefined) {
      const placement = await this.#packs.add(bytes, "chunks");
      entry = { id, length: bytes.length, documentCount, dataSizeBytes: bytes.length, firstId, ...placement };
      this.#known.stored(entry);
    } else entry = known;
    this.#needed.add(entry);
    this.#documentCount += documentCount;
    this.#dataSizeBytes += bytes.length;
    const ended = this.#tree.add(entry);
    if (ended !== undefined) await ended;
  }

  async #storePage(
    bytes: Uint8Array,
    totals: Pick<Entry, "documentCount" | "dataSizeBytes" | "firstId">,
  ): Promise<Entry> {
    const id = this.#keys.chunkId(bytes);
    const known = this.#known.findPage(id);
    const placement =
      known === undefined
        ? await this.#packs.add(bytes, "pages")
        : { packId: known.packId, blockIndex: known.blockIndex, offset: known.offset };
    const entry = { id, length: bytes.length, ...totals, ...placement };
    this.#needed.add(entry);
    return entry;
  }
}
