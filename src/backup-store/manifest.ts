import { createCipheriv, createDecipheriv } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Binary, calculateObjectSize, deserialize, serialize, setInternalBufferSize, type Document } from "bson";
import type { SnapshotFacts, StoredCollection } from "../ports/snapshot-repository.ts";
import { decodeEntries, encodeEntries, packIdLength } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { Tree } from "./tree.ts";

const magic = Buffer.from("TLMM");
const headerLength = 20;
const tagLength = 16;
/** Plain bytes a manifest may announce. */
const plainLengthMax = 256 * 1024 * 1024;

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

/** The sealed bytes of a manifest; its key is bound to them, so that one cannot stand in another's place. */
export function sealManifest(manifest: Manifest, keys: StoreKeys, objectKey: string, nonce: Uint8Array): Buffer {
  const document = toDocument(manifest);
  // The serializer's own buffer ends at 17 MiB, which some thousand collections with many indexes fill. This only ever makes it larger.
  setInternalBufferSize(calculateObjectSize(document, { ignoreUndefined: true }));
  const plain = serialize(document, { ignoreUndefined: true });
  const content = zstdCompressSync(plain);
  const header = Buffer.alloc(headerLength);
  magic.copy(header, 0);
  header.writeUInt8(1, 4);
  header.set(nonce, 8);
  const cipher = createCipheriv("aes-256-gcm", keys.manifestKey, nonce).setAAD(
    Buffer.concat([header, Buffer.from(objectKey)]),
  );
  return Buffer.concat([header, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** Throws when the bytes are not what was sealed under this key and object key. */
export function openManifest(sealed: Uint8Array, keys: StoreKeys, objectKey: string): Manifest {
  const view = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  if (view.length < headerLength + tagLength || !view.subarray(0, 4).equals(magic))
    throw new Error("it is no manifest");
  const header = view.subarray(0, headerLength);
  const decipher = createDecipheriv("aes-256-gcm", keys.manifestKey, header.subarray(8, 20))
    .setAAD(Buffer.concat([header, Buffer.from(objectKey)]))
    .setAuthTag(view.subarray(view.length - tagLength));
  const content = Buffer.concat([
    decipher.update(view.subarray(headerLength, view.length - tagLength)),
    decipher.final(),
  ]);
  return fromDocument(
    deserialize(zstdDecompressSync(content, { maxOutputLength: plainLengthMax }), { promoteBuffers: true }),
  );
}

function toDocument(manifest: Manifest): Document {
  return {
    version: 1,
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
  if (document.version !== 1)
    throw new Error(`its format is ${String(document.version)}, which this version does not read`);
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
