import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { createMemoryBlobStore } from "../../src/adapters/blob-memory/memory-blob-store.ts";
import { type BackupStore, openBackupStore } from "../../src/backup-store/index.ts";
import { collect, documents, graceMs, idOf, record, restored, take } from "./garbage-world.ts";

async function openWith(objects: Map<string, Buffer>): Promise<BackupStore> {
  return openBackupStore({ blobs: createMemoryBlobStore(objects), secret: Buffer.alloc(32, 5), randomBytes });
}

const never = (): boolean => false;

describe("garbage", () => {
  test("waits from when it was first found, to the millisecond, and goes with its record first", async () => {
    const objects = new Map<string, Buffer>();
    const store = await openWith(objects);
    const kept = await take(store, "a", documents(500, 0, never));
    await take(
      store,
      "b",
      documents(500, 1, (position) => position < 50),
      kept,
    );
    const ofSecond = (): string[] => [...objects.keys()].filter((key) => key.includes(idOf("b")));
    const first = await collect(store, [kept], 5000);
    assert.deepEqual([first.deletedObjectCount, first.waitingObjectCount, first.nextAtMs], [0, 3, 6000]);
    assert.equal((await collect(store, [kept], 5999)).deletedObjectCount, 0);
    assert.equal(ofSecond().length, 3);
    const last = await collect(store, [kept], 6000);
    assert.deepEqual([last.deletedObjectCount, last.waitingObjectCount, last.nextAtMs], [3, 0, undefined]);
    assert.deepEqual(ofSecond(), []);
    await collect(store, [kept], 6001);
    assert.deepEqual(
      [...objects.keys()].filter((key) => key.startsWith("marks/")),
      [],
    );
    assert.deepEqual((await store.verify()).damages, []);
  });

  test("a clock that jumps back makes it wait, one that jumps ahead never deletes what is needed", async () => {
    const store = await openWith(new Map());
    const kept = await take(store, "a", documents(200, 0, never));
    await take(
      store,
      "b",
      documents(200, 1, (position) => position < 50),
      kept,
    );
    await collect(store, [kept], 1_000_000);
    assert.equal((await collect(store, [kept], 500)).deletedObjectCount, 0);
    assert.equal((await collect(store, [kept], 10 ** 15)).deletedObjectCount, 3);
    assert.ok((await restored(store, kept)).equals(documents(200, 0, never)));
  });

  test("a dry run says what would go and changes nothing; a bound is kept", async () => {
    const objects = new Map<string, Buffer>();
    const store = await openWith(objects);
    const kept = await take(store, "a", documents(200, 0, never));
    await take(
      store,
      "b",
      documents(200, 1, (position) => position < 50),
      kept,
    );
    await collect(store, [kept], 0);
    const before = new Map(objects);
    assert.equal((await collect(store, [kept], graceMs, { dryRun: true })).deletedObjectCount, 3);
    assert.deepEqual(objects, before);
    assert.equal((await collect(store, [kept], graceMs, { deletionsMax: 2 })).deletedObjectCount, 2);
    assert.equal((await collect(store, [kept], graceMs, { deletionsMax: 2 })).deletedObjectCount, 1);
  });

  test("a snapshot that has a record and that the metadata never knew is kept, however long", async () => {
    const store = await openWith(new Map());
    const content = documents(300, 0, never);
    const lost = await take(store, "a", content);
    const neverKnown = async (ids: readonly string[]): Promise<ReadonlySet<string>> => new Set(ids);
    for (const nowMs of [0, graceMs, 10 ** 12]) {
      const report = await collect(store, [], nowMs, { neverKnown });
      assert.deepEqual([report.deletedObjectCount, report.unknownSnapshotIds], [0, [idOf("a")]]);
    }
    assert.ok((await restored(store, lost)).equals(content));
  });

  test("what becomes needed while it waits stays", async () => {
    const store = await openWith(new Map());
    const content = documents(300, 0, never);
    const wanted = await take(store, "a", content);
    await collect(store, [], 0);
    assert.equal((await collect(store, [wanted], graceMs * 2)).deletedObjectCount, 0);
    let asked = 0;
    // Known as unneeded when candidates are chosen, and needed when they are asked about again.
    const report = await collect(store, [], graceMs * 3, {
      liveManifestKeys: async () => new Set((asked += 1) === 1 ? [] : [wanted]),
    });
    assert.equal(report.deletedObjectCount, 0);
    assert.ok((await restored(store, wanted)).equals(content));
  });

  test("a pack of which little is needed is written anew, and every live snapshot restores at each step", async () => {
    const objects = new Map<string, Buffer>();
    const store = await openWith(objects);
    const old = documents(4000, 0, never);
    const fresh = documents(4000, 1, (position) => position < 3600);
    const first = await take(store, "a", old);
    const second = await take(store, "b", fresh, first);
    const reader = await store.open(second);
    const size = (): number => [...objects].reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const before = size();
    await collect(store, [second], 0);
    await collect(store, [second], graceMs);
    const report = await collect(store, [second], graceMs, { repacksMax: 4 });
    assert.equal(report.repackedPackCount, 1);
    assert.ok((await restored(store, second)).equals(fresh));
    await collect(store, [second], graceMs + 1);
    assert.ok((await collect(store, [second], graceMs * 3)).deletedObjectCount >= 1);
    assert.deepEqual(
      [...objects.keys()].filter((key) => key.startsWith(`packs/${idOf("a")}`)).map((key) => key.slice(-2)),
      [".1"],
    );
    assert.ok(size() < before * 0.65, `${size()} of ${before}`);
    assert.ok((await restored(store, second)).equals(fresh));
    const parts: Uint8Array[] = [];
    for await (const piece of reader.documents("shop", "orders")) parts.push(piece);
    assert.ok(Buffer.concat(parts).equals(fresh), "a reader that was open before finds the new revision");
    assert.deepEqual((await store.verify({ manifestKeys: new Set([second]) })).damages, []);
    const third = await take(store, "c", fresh, second);
    assert.ok((await restored(store, third)).equals(fresh));
  });

  test("an older revision stays when the newer one cannot be read", async () => {
    const objects = new Map<string, Buffer>();
    const store = await openWith(objects);
    const first = await take(store, "a", documents(4000, 0, never));
    const fresh = documents(4000, 1, (position) => position < 3600);
    const second = await take(store, "b", fresh, first);
    await collect(store, [second], 0);
    await collect(store, [second], graceMs, { repacksMax: 4 });
    const key = [...objects.keys()].find((one) => one.endsWith(".1") && one.startsWith("packs/"));
    const bytes = Buffer.from(objects.get(key ?? "") ?? []);
    bytes.fill(0, 28, bytes.length);
    objects.set(key ?? "", bytes);
    for (const nowMs of [graceMs * 2, graceMs * 4, graceMs * 6]) await collect(store, [second], nowMs);
    assert.ok((await restored(store, second)).equals(fresh));
  });

  test("of a snapshot's records the newest stays; older ones go after the wait, and one that cannot be read is left", async () => {
    const objects = new Map<string, Buffer>();
    const store = await openWith(objects);
    const manifestKey = await take(store, "a", documents(10, 0, never));
    const records = (): string[] => [...objects.keys()].filter((key) => key.startsWith("catalogue/"));
    const [first] = records();
    const hold = { atMs: 1, by: "abcdefgh", reason: "the audit" };
    await record(store, "a", manifestKey, 2, { hold });
    await record(store, "a", manifestKey, 1);
    await record(store, "a", manifestKey, 2, { hold });
    const damaged = records().at(-1) ?? "";
    await record(store, "a", manifestKey, 3, { hold, provenAtMs: 7 });
    const newest = records().at(-1);
    const bytes = Buffer.from(objects.get(damaged) ?? []);
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    objects.set(damaged, bytes);
    await collect(store, [manifestKey], 0);
    assert.equal(records().length, 5, "nothing goes before its time");
    assert.equal((await collect(store, [manifestKey], graceMs)).deletedObjectCount, 3);
    assert.deepEqual(records(), [damaged, newest]);
    assert.ok(!records().includes(first ?? ""));
    const told: string[] = [];
    const [found] = await Array.fromAsync(store.catalogued((key) => told.push(key)));
    assert.deepEqual([found?.revision, found?.snapshot.hold, told], [3, hold, [damaged]]);
    assert.equal((await collect(store, [manifestKey], graceMs * 3)).waitingObjectCount, 0);
  });
});
