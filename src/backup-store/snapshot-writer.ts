import type { BlobStore } from "../ports/blob-store.ts";
import {
  type BeginSnapshot,
  type ChangedDocuments,
  type CollectionDescription,
  collectionsAtOnceMax,
  type CollectionTotals,
  type CollectionWriter,
  type CommittedSnapshot,
  IncrementRefused,
  SnapshotDamaged,
  type SnapshotFacts,
  type SnapshotWriter,
  type StoredSnapshot,
  type WrittenCollection,
} from "../ports/snapshot-repository.ts";
import { CollectionTree } from "./collection-tree.ts";
import { StoreCollectionWriter } from "./collection-writer.ts";
import { foreseeIncrement, type IncrementRequest, storeIncrement } from "./increment-writer.ts";
import type { StoreKeys } from "./keys.ts";
import { KnownChunks } from "./known-chunks.ts";
import { type Manifest, type ManifestCollection, manifestKeyOf, openManifest, sealManifest } from "./manifest.ts";
import type { PackReader } from "./pack-reader.ts";
import { PackWriter } from "./pack-writer.ts";
import { NeededBlocks } from "./needed-blocks.ts";
import { Rooms } from "./rooms.ts";
import { slabRoomBytes } from "./slab.ts";
import type { Tree } from "./tree.ts";

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
  readonly #rooms = new Rooms(slabRoomBytes);
  readonly #collections: ManifestCollection[] = [];
  #openCount = 0;
  #ended = false;

  constructor(parts: WriterParts, request: BeginSnapshot, parent: Manifest | undefined) {
    if (!/^[0-9a-f]{24}$/.test(request.snapshotId)) throw new Error("a snapshot's id has 24 hexadecimal digits");
    this.#parts = parts;
    this.#request = request;
    this.#parent = parent;
    this.#packs = new PackWriter(parts, request.snapshotId);
    this.#needed = new NeededBlocks();
  }

  get parent(): StoredSnapshot | undefined {
    return this.#parent;
  }

  async beginCollection(
    description: CollectionDescription,
    { fingerprint = false }: { readonly fingerprint?: boolean } = {},
  ): Promise<CollectionWriter> {
    this.#begin();
    const { keys, reader } = this.#parts;
    const known = new KnownChunks(reader, this.#parentTree(description));
    const tree = new CollectionTree({ keys, packs: this.#packs, needed: this.#needed, known }, { fingerprint });
    return new StoreCollectionWriter({
      keys,
      packs: this.#packs,
      tree,
      rooms: this.#rooms,
      ended: (made, written) => this.#end(description, made, written),
    });
  }

  async writeIncrement(description: CollectionDescription, changes: ChangedDocuments): Promise<CollectionTotals> {
    this.#begin();
    try {
      const stored = await storeIncrement(this.#incrementOf(description, changes), this.#packs);
      this.#needed.addAll(stored.needed);
      this.#end(description, stored.tree, stored.written);
      return stored.written;
    } catch (error) {
      if (error instanceof IncrementRefused) this.#openCount -= 1;
      throw error;
    }
  }

  async foreseeIncrement(description: CollectionDescription, changes: ChangedDocuments): Promise<WrittenCollection> {
    return foreseeIncrement(this.#incrementOf(description, changes));
  }

  #begin(): void {
    if (this.#ended) throw new Error("the snapshot has ended");
    if (this.#openCount >= collectionsAtOnceMax)
      throw new Error(`no more than ${collectionsAtOnceMax} collections can be written at once`);
    this.#openCount += 1;
  }

  #end(description: CollectionDescription, tree: Tree, { documentCount, dataSizeBytes }: CollectionTotals): void {
    this.#collections.push({ ...description, documentCount, dataSizeBytes, tree });
    this.#openCount -= 1;
  }

  #incrementOf(description: CollectionDescription, changes: ChangedDocuments): IncrementRequest {
    const parent = this.#parentTree(description);
    if (parent === undefined) throw new IncrementRefused("the snapshot before does not have it");
    return { keys: this.#parts.keys, reader: this.#parts.reader, parent, changes };
  }

  #parentTree({ database, name }: CollectionDescription): Tree | undefined {
    return this.#parent?.collections.find((collection) => collection.database === database && collection.name === name)
      ?.tree;
  }

  async commit(facts: SnapshotFacts): Promise<CommittedSnapshot> {
    if (this.#openCount > 0 || this.#ended) throw new Error("a collection has not ended, or the snapshot has");
    this.#ended = true;
    const collections = this.#collections.toSorted(byName);
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
      collections,
      packIds: this.#needed.packIds(),
      storageSizeBytes: blockBytes,
    };
    const sealed = sealManifest(manifest, keys, manifestKey, randomBytes(12));
    try {
      await blobs.put(manifestKey, [sealed]);
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
      collectionCount: collections.length,
      documentCount: collections.reduce((sum, collection) => sum + collection.documentCount, 0),
      dataSizeBytes: collections.reduce((sum, collection) => sum + collection.dataSizeBytes, 0),
    };
  }

  async abort(): Promise<void> {
    // What was put stays until garbage is collected; nothing refers to it.
    this.#ended = true;
    await this.#packs.settled();
  }

  async #confirmManifest(manifestKey: string, sealed: Buffer): Promise<void> {
    const stored = await this.#parts.blobs.get(manifestKey);
    if (!sealed.equals(stored))
      throw new SnapshotDamaged(manifestKey, `${manifestKey} does not read back as it was written`);
    openManifest(stored, this.#parts.keys, manifestKey);
  }
}

function byName(one: CollectionDescription, other: CollectionDescription): number {
  const [first, second] = one.database === other.database ? [one.name, other.name] : [one.database, other.database];
  return first < second ? -1 : first > second ? 1 : 0;
}
