import { Binary, type Document } from "bson";
import type { SnapshotFacts, StoredCollection } from "../ports/snapshot-repository.ts";
import { chunkMaxBytes, chunkMinBytes, chunkSpreadBytes } from "./chunker.ts";
import { decodeEntries, encodeEntries, packIdLength } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import { openDocument, sealDocument } from "./sealed-object.ts";
import type { Tree } from "./tree.ts";

/** A collection with the tree of its chunks. */
export interface ManifestCollection extends StoredCollection {
  readonly tree: Tree;
}

/** What a snapshot consists of. */
export interface Manifest {
  readonly lineageId: string;
  readonly snapshotId: string;
  readonly facts: SnapshotFacts;
  readonly collections: readonly ManifestCollection[];
  /** Ids of every pack that is needed. */
  readonly packIds: readonly Uint8Array[];
  readonly storageSizeBytes: number;
}

/** How chunks were cut, so that documents can be cut again and compared. */
const cut = { name: "telamon-1", leastBytes: chunkMinBytes, mostBytes: chunkMaxBytes, spreadBytes: chunkSpreadBytes };

export function manifestKeyOf(snapshotId: string, random: Uint8Array): string {
  return `manifests/${snapshotId}/${Buffer.from(random).toString("hex")}`;
}

/** The snapshot's id in the key of a manifest or catalogue record; undefined when it is no such key. */
export function snapshotIdOf(objectKey: string): string | undefined {
  return /^(?:manifests|catalogue)\/([0-9a-f]{24})\/[0-9a-f]{16}$/.exec(objectKey)?.[1];
}

export function sealManifest(manifest: Manifest, keys: StoreKeys, objectKey: string, nonce: Uint8Array): Buffer {
  return sealDocument("manifest", toDocument(manifest), keys.manifestKey, objectKey, nonce);
}

/** Throws when the bytes are not what was sealed under this key and object key. */
export function openManifest(sealed: Uint8Array, keys: StoreKeys, objectKey: string): Manifest {
  return fromDocument(openDocument("manifest", sealed, keys.manifestKey, objectKey));
}

function toDocument(manifest: Manifest): Document {
  return {
    version: 1,
    requires: [],
    chunkId: "hmac-sha-256",
    cut,
    lineageId: manifest.lineageId,
    snapshotId: manifest.snapshotId,
    facts: manifest.facts,
    collections: manifest.collections.map((collection) => ({
      database: collection.database,
      name: collection.name,
      type: collection.type,
      uuid: collection.uuid === undefined ? undefined : new Binary(collection.uuid),
      options: new Binary(collection.options),
      indexes: collection.indexes.map((index) => new Binary(index)),
      documentCount: collection.documentCount,
      dataSizeBytes: collection.dataSizeBytes,
      level: collection.tree.level,
      entries: new Binary(encodeEntries(collection.tree.entries)),
    })),
    packIds: new Binary(Buffer.concat(manifest.packIds)),
    storageSizeBytes: manifest.storageSizeBytes,
  };
}

function fromDocument(document: Document): Manifest {
  if (document.version !== 1 || document.chunkId !== "hmac-sha-256" || JSON.stringify(document.cut) !== cutText)
    throw new Error("its version, chunk ids or cut are none that this version reads");
  const collections = (document.collections as Document[]).map((collection): ManifestCollection => {
    const { database, name, type, uuid, options, indexes, documentCount, dataSizeBytes, level, entries } = collection;
    return {
      database,
      name,
      type,
      ...(uuid === undefined ? {} : { uuid }),
      options,
      indexes,
      documentCount,
      dataSizeBytes,
      tree: { level, entries: decodeEntries(entries as Uint8Array) },
    } as ManifestCollection;
  });
  const packIds = document.packIds as Uint8Array;
  return {
    lineageId: document.lineageId as string,
    snapshotId: document.snapshotId as string,
    facts: document.facts as SnapshotFacts,
    collections,
    packIds: Array.from({ length: packIds.length / packIdLength }, (_, index) =>
      packIds.subarray(index * packIdLength, (index + 1) * packIdLength),
    ),
    storageSizeBytes: document.storageSizeBytes as number,
  };
}

const cutText = JSON.stringify(cut);
