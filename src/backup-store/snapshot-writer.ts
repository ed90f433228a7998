import type { BlobStore } from "../ports/blob-store.ts";
import {
  type BeginSnapshot,
  type CollectionDescription,
  collectionsAtOnceMax,
  type CollectionWriter,
  type CommittedSnapshot,
  SnapshotDamaged,
  type SnapshotFacts,
  type SnapshotWriter,
} from "../ports/snapshot-repository.ts";
import { StoreCollectionWriter } from "./collection-writer.ts";
import type { StoreKeys } from "./keys.ts";
import { KnownChunks } from "./known-chunks.ts";
import { type Manifest, type ManifestCollection, manifestKeyOf, openManifest, sealManifest } from "./manifest.ts";
import type { PackReader } from "./pack-reader.ts";
import { PackWriter } from "./pack-writer.ts";
import { NeededBlocks } from "./needed-blocks.ts";
import { Rooms } from "./rooms.ts";
import { slabRoomBytes } from "./slab.ts";

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
  readonly #rooms = new Rooms(slabRoomBytes, collectionsAtOnceMax);
  /** In the order in which they were begun, whichever ends first; undefined until it ends. */
  readonly #collections: (ManifestCollection | undefined)[] = [];
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

  async beginCollection(description: CollectionDescription): Promise<CollectionWriter> {
    if (this.#ended) throw new Error("the snapshot has ended");
    if (this.#openCount >= collectionsAtOnceMax)
      throw new Error(`no more than ${collectionsAtOnceMax} collections can be written at once`);
    const before = this.#parent?.collections.find(
      ({ database, name }) => database === description.database && name === description.name,
    );
    const place = this.#collections.push(undefined) - 1;
    this.#openCount += 1;
    return new StoreCollectionWriter({
      keys: this.#parts.keys,
      packs: this.#packs,
      needed: this.#needed,
      known: new KnownChunks(this.#parts.reader, before?.tree),
      rooms: this.#rooms,
      ended: (tree, totals) => {
        this.#collections[place] = { ...description, ...totals, tree };
        this.#openCount -= 1;
      },
    });
  }

  async commit(facts: SnapshotFacts): Promise<CommittedSnapshot> {
    const collections = this.#collections.filter((collection) => collection !== undefined);
    if (this.#openCount > 0 || this.#ended) throw new Error("a collection has not ended, or the snapshot has");
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
