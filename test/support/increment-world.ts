import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { serialize } from "bson";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";
import type {
  ChangedDocuments,
  CollectionDescription,
  SnapshotRepository,
  WrittenCollection,
} from "../../src/ports/snapshot-repository.ts";
import { compareIds } from "../../src/shared/id-order.ts";

export const orders: CollectionDescription = {
  database: "shop",
  name: "orders",
  type: "collection",
  options: Uint8Array.of(5, 0, 0, 0, 0),
  indexes: [],
};

export type Documents = ReadonlyMap<string, Buffer>;

export const nameOf = (id: unknown): string => Buffer.from(serialize({ _id: id }).subarray(4, -1)).toString("latin1");
export const idOf = (name: string): Buffer => Buffer.from(name, "latin1");

export function document(id: unknown, length: number): Buffer {
  const fixed = serialize({ _id: id, text: "" }).length;
  return Buffer.from(serialize({ _id: id, text: "x".repeat(Math.max(0, length - fixed)) }));
}

/** In `_id` order. */
export function sorted(documents: Documents): Buffer[] {
  return [...documents].toSorted(([one], [other]) => compareIds(idOf(one), idOf(other)) ?? 0).map(([, bytes]) => bytes);
}

/** What changed between two states, and some that did not, as a log tells it. */
export function changesOf(before: Documents, after: Documents, unchanged: readonly string[] = []): ChangedDocuments {
  const names = new Set([...before.keys(), ...after.keys()]);
  const ids = [...names]
    .filter((name) => before.get(name) !== after.get(name) || unchanged.includes(name))
    .map(idOf)
    .toSorted((one, other) => compareIds(one, other) ?? 0);
  const documents = ids.map((id) => after.get(id.toString("latin1"))).filter((bytes) => bytes !== undefined);
  return { ids, documents: inPieces(documents) };
}

export async function* inPieces(documents: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < documents.length; first += 7) yield Buffer.concat(documents.slice(first, first + 7));
}

let snapshots = 0;
export function nextSnapshotId(): string {
  snapshots += 1;
  return snapshots.toString(16).padStart(24, "0");
}

export function memoryStore(): Promise<SnapshotRepository> {
  return openBackupStore({ blobs: createMemoryBlobStore(), secret: Buffer.alloc(32, 5), randomBytes });
}

export const facts = { consistency: "exact", serverVersion: "8.0.0", capturedAtMs: 0 } as const;

export async function takeFull(
  repository: SnapshotRepository,
  documents: Documents,
  parentManifestKey?: string,
): Promise<WrittenCollection & { readonly manifestKey: string; readonly storageSizeBytes: number }> {
  const parent = parentManifestKey === undefined ? {} : { parentManifestKey };
  const writer = await repository.begin({ lineageId: "l", snapshotId: nextSnapshotId(), ...parent });
  const collection = await writer.beginCollection(orders, { fingerprint: true });
  for await (const piece of inPieces(sorted(documents))) await collection.write(piece);
  const written = await collection.end();
  return { ...(await writer.commit(facts)), ...written };
}

/** Both ways from one parent; they must not differ in anything but where new chunks are. Answers the increment's manifest. */
export async function requireEqual(
  repository: SnapshotRepository,
  parentManifestKey: string,
  changes: () => ChangedDocuments,
  after: Documents,
): Promise<string> {
  const full = await takeFull(repository, after, parentManifestKey);
  const writer = await repository.begin({ lineageId: "l", snapshotId: nextSnapshotId(), parentManifestKey });
  const foreseen = await writer.foreseeIncrement(orders, changes());
  assert.deepEqual(foreseen, {
    documentCount: full.documentCount,
    dataSizeBytes: full.dataSizeBytes,
    fingerprint: full.fingerprint,
  });
  const totals = await writer.writeIncrement(orders, changes());
  assert.deepEqual([totals.documentCount, totals.dataSizeBytes], [full.documentCount, full.dataSizeBytes]);
  const committed = await writer.commit(facts);
  const reader = await repository.open(committed.manifestKey);
  const expected = sorted(after);
  const parts = await Array.fromAsync(reader.documents("shop", "orders"));
  assert.ok(Buffer.concat(parts).equals(Buffer.concat(expected)), "other documents");
  assert.ok((await reader.compare("shop", "orders", inPieces(expected))).equal, "other chunks");
  assert.equal(reader.collections[0]?.documentCount, after.size);
  await reader.verify();
  return committed.manifestKey;
}
