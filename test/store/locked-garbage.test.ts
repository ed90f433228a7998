import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { type BackupStore, openBackupStore } from "../../src/backup-store/index.ts";
import { BlobError } from "../../src/ports/blob-store.ts";
import { collect, documents, graceMs, idOf, restored, take } from "./garbage-world.ts";

const dayMs = 86_400_000;

/** A store in memory whose objects cannot be deleted while `isLocked` says so. */
async function openLocking(objects: Map<string, Buffer>, isLocked: (key: string) => boolean): Promise<BackupStore> {
  const blobs = createMemoryBlobStore(objects);
  return openBackupStore({
    blobs: {
      ...blobs,
      async delete(key) {
        if (isLocked(key)) throw new BlobError("blob_locked", `${key} is locked`);
        await blobs.delete(key);
      },
    },
    secret: Buffer.alloc(32, 5),
    randomBytes,
  });
}

describe("garbage that the store keeps locked", () => {
  test("stays, is told of, holds up nothing else, and goes when its time has come", async () => {
    const objects = new Map<string, Buffer>();
    let locked = true;
    const store = await openLocking(objects, (key) => locked && key.startsWith(`packs/${idOf("b")}`));
    const kept = await take(
      store,
      "a",
      documents(300, 0, () => false),
    );
    for (const letter of ["b", "c"])
      await take(
        store,
        letter,
        documents(300, letter.charCodeAt(0), (at) => at < 60),
        kept,
      );
    await collect(store, [kept], 0);
    const report = await collect(store, [kept], graceMs);
    assert.deepEqual([report.deletedObjectCount, report.lockedObjectCount, report.waitingObjectCount], [5, 1, 1]);
    assert.ok(report.lockedSizeBytes > 0 && report.lockedSizeBytes === report.waitingSizeBytes);
    assert.equal(report.nextAtMs, graceMs + dayMs, "asked about again in a day, and not at once");
    assert.ok((await restored(store, kept)).equals(documents(300, 0, () => false)));
    locked = false;
    const last = await collect(store, [kept], graceMs + dayMs);
    assert.deepEqual([last.deletedObjectCount, last.lockedObjectCount, last.nextAtMs], [1, 0, undefined]);
  });

  for (const [what, start] of [
    ["record", "catalogue/"],
    ["manifest", "manifests/"],
  ] as const)
    test(`a snapshot whose ${what} is locked stays as a whole, and restores when the metadata is lost`, async () => {
      const objects = new Map<string, Buffer>();
      const store = await openLocking(objects, (key) => key.startsWith(`${start}${idOf("b")}`));
      const kept = await take(
        store,
        "a",
        documents(300, 0, () => false),
      );
      const content = documents(300, 1, (at) => at < 60);
      const dead = await take(store, "b", content, kept);
      // Its parent goes as well, and what it shares with it must not.
      await collect(store, [], 0);
      const report = await collect(store, [], graceMs);
      assert.ok(report.lockedObjectCount >= 3);
      assert.ok((await restored(store, dead)).equals(content));
      assert.ok(![...objects.keys()].some((key) => key.startsWith(`catalogue/${idOf("a")}`)), "the other one is gone");
    });

  test("a mark that the store locks does not end the collection", async () => {
    const store = await openLocking(new Map(), (key) => key.startsWith("marks/"));
    const kept = await take(
      store,
      "a",
      documents(100, 0, () => false),
    );
    await take(
      store,
      "b",
      documents(100, 1, (at) => at < 60),
      kept,
    );
    await collect(store, [kept], 0);
    assert.equal((await collect(store, [kept], graceMs)).deletedObjectCount, 3);
    assert.equal((await collect(store, [kept], 2 * graceMs)).deletedObjectCount, 0);
  });

  test("the bound on deletions counts what is deleted, so that locked objects cannot use it up", async () => {
    const store = await openLocking(new Map(), (key) => key.includes(idOf("b")));
    const kept = await take(
      store,
      "a",
      documents(100, 0, () => false),
    );
    for (const letter of ["b", "c"])
      await take(
        store,
        letter,
        documents(100, letter.charCodeAt(0), (at) => at < 60),
        kept,
      );
    await collect(store, [kept], 0);
    const report = await collect(store, [kept], graceMs, { deletionsMax: 2 });
    assert.equal(report.deletedObjectCount, 2);
    assert.ok(report.lockedObjectCount > 0);
  });
});

test("verify tells which documents are hurt also where the store itself refuses damaged bytes", async () => {
  const objects = new Map<string, Buffer>();
  const blobs = createMemoryBlobStore(objects);
  const damagedKeys = new Set<string>();
  const store = await openBackupStore({
    blobs: {
      ...blobs,
      get: (key) => {
        if (damagedKeys.has(key)) throw new BlobError("blob_damaged", `${key} is damaged`);
        return blobs.get(key);
      },
    },
    secret: Buffer.alloc(32, 5),
    randomBytes,
  });
  await take(
    store,
    "a",
    documents(6000, 0, () => false),
  );
  const packKey = [...objects.keys()].find((key) => key.startsWith("packs/")) ?? "";
  const bytes = objects.get(packKey) as Buffer;
  bytes[100] = (bytes[100] as number) ^ 1;
  damagedKeys.add(packKey);
  const { damages } = await store.verify();
  assert.equal(damages.length, 1);
  const hurt = damages[0]?.ranges.reduce((sum, { documentCount }) => sum + documentCount, 0) ?? 0;
  assert.ok(hurt > 0 && hurt < 6000, `${hurt} documents, of the one block that is hurt`);
  assert.deepEqual(damages[0]?.lostSnapshotIds, []);
});
