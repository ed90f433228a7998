import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { describeBlobLock } from "../../test/conformance/blob-lock.ts";
import { createLockingBlobStore, lockMs } from "../../test/store/locking-blob-store.ts";
import { collect, documents, graceMs, idOf, record, restored, take } from "../../test/store/garbage-world.ts";
import { createFakeClock } from "../../test/support/fake-clock.ts";
import type { SnapshotLocks } from "../ports/snapshot-repository.ts";
import { openBackupStore } from "./index.ts";

const never = new AbortController().signal;
const hourMs = 3_600_000;
const forGood = Number.POSITIVE_INFINITY;

async function createWorld() {
  const clock = createFakeClock();
  const locking = createLockingBlobStore(clock);
  const open = async () => openBackupStore({ blobs: locking.blobs, secret: Buffer.alloc(32, 5), randomBytes });
  const store = await open();
  const locks = store.locks as SnapshotLocks;
  const renew = (manifestKey: string, keptUntilMs = forGood): Promise<number> =>
    locks.renew({ manifestKey, keptUntilMs }, clock.nowMs(), never);
  /** Hours for which every object below the prefix is locked at least. */
  const hoursLeft = (prefix: string): number =>
    Math.min(...[...locking.locks].filter(([key]) => key.startsWith(prefix)).map(([, untilMs]) => untilMs)) / hourMs -
    clock.nowMs() / hourMs;
  return { clock, ...locking, store, locks, renew, hoursLeft, open };
}

const whole = documents(300, 0, () => false);

describe("locks of what snapshots need", () => {
  test("a pack that a later snapshot shares is locked with it as if it had been written for it, and so is the rest", async () => {
    const { clock, store, renew, hoursLeft } = await createWorld();
    const first = await take(store, "a", whole);
    clock.advance(20 * hourMs);
    const second = await take(
      store,
      "b",
      documents(300, 1, (at) => at < 20),
      first,
    );
    assert.equal(hoursLeft(`packs/${idOf("a")}`), 4);
    assert.equal(await renew(second), 1, "the pack of the first; all others are new");
    assert.equal(hoursLeft(`packs/${idOf("a")}`), 24);
    assert.equal(hoursLeft(`manifests/${idOf("a")}`), 4, "not what this snapshot does not need");
  });

  test("what is locked for three quarters of the time still is left alone, without a question when it is known", async () => {
    const { clock, store, renew, asked, open } = await createWorld();
    const manifestKey = await take(store, "a", whole);
    assert.equal(await renew(manifestKey), 0);
    const { questions } = asked();
    clock.advance(6 * hourMs);
    for (let time = 0; time < 5; time += 1) assert.equal(await renew(manifestKey), 0);
    assert.deepEqual(asked(), { questions, renewals: 0 });
    const another = (await open()).locks as SnapshotLocks;
    assert.equal(await another.renew({ manifestKey, keptUntilMs: forGood }, clock.nowMs(), never), 0);
    assert.deepEqual(asked(), { questions: 2 * questions, renewals: 0 }, "another process asks, and changes nothing");
    clock.advance(1);
    assert.equal(await renew(manifestKey), questions);
    assert.equal(await renew(manifestKey), 0);
  });

  test("snapshots that share a pack renew it once", async () => {
    const { clock, store, renew } = await createWorld();
    const keys = [await take(store, "a", whole)];
    for (const letter of ["b", "c", "d"]) keys.push(await take(store, letter, whole, keys.at(-1)));
    clock.advance(12 * hourMs);
    const renewed = [];
    for (const key of keys) renewed.push(await renew(key));
    assert.deepEqual(renewed, [3, 2, 2, 2], "the pack once; each snapshot's own manifest and record");
  });

  test("nothing is locked longer than its snapshot stays, and until then it is", async () => {
    const { clock, store, renew, hoursLeft } = await createWorld();
    const manifestKey = await take(store, "a", whole);
    const keptUntilMs = clock.nowMs() + 30 * hourMs;
    clock.advance(12 * hourMs);
    assert.equal(await renew(manifestKey, keptUntilMs), 3);
    assert.equal(hoursLeft("packs/"), 18);
    clock.advance(17 * hourMs);
    assert.equal(await renew(manifestKey, keptUntilMs), 0);
    clock.advance(hourMs);
    assert.equal(await renew(manifestKey, keptUntilMs), 0, "it is over");
    assert.equal(await renew(manifestKey, keptUntilMs + hourMs), 3);
    assert.equal(await renew(manifestKey), 3, "held: it stays for good");
    assert.equal(hoursLeft("packs/"), 24);
  });

  test("older copies of a record are not locked anew, and go", async () => {
    const { clock, store, renew, objects } = await createWorld();
    const manifestKey = await take(store, "a", whole);
    clock.advance(20 * hourMs);
    await record(store, "a", manifestKey, 1);
    assert.equal(await renew(manifestKey), 2, "pack and manifest: the newest copy is locked already");
    clock.advance(4 * hourMs);
    await collect(store, [manifestKey], clock.nowMs());
    const report = await collect(store, [manifestKey], clock.nowMs() + graceMs);
    assert.deepEqual([report.deletedObjectCount, report.lockedObjectCount], [1, 0]);
    assert.equal([...objects.keys()].filter((key) => key.startsWith("catalogue/")).length, 1);
  });

  test("of a pack that was written anew the newer revision is locked and the older one goes", async () => {
    const { clock, store, renew, hoursLeft, objects } = await createWorld();
    const first = await take(
      store,
      "a",
      documents(3000, 0, () => false),
    );
    const content = documents(3000, 1, (at) => at >= 400);
    const second = await take(store, "b", content, first);
    clock.advance(lockMs);
    await collect(store, [second], clock.nowMs());
    const { repackedPackCount } = await collect(store, [second], clock.nowMs() + graceMs, { repacksMax: 1 });
    assert.equal(repackedPackCount, 1);
    clock.advance(12 * hourMs);
    assert.ok((await renew(second)) > 0);
    const packs = [...objects.keys()].filter((key) => key.startsWith(`packs/${idOf("a")}`));
    assert.equal(packs.length, 2);
    const [older = "", newer = ""] = packs.toSorted();
    assert.equal(hoursLeft(newer), 24);
    assert.ok(hoursLeft(older) < 0);
    await collect(store, [second], clock.nowMs());
    assert.equal((await collect(store, [second], clock.nowMs() + graceMs)).deletedObjectCount, 1);
    assert.ok(!objects.has(older));
    assert.ok((await restored(store, second)).equals(content));
  });

  test("what is missing is told, and everything else is locked all the same", async () => {
    const { clock, store, renew, objects, hoursLeft } = await createWorld();
    const first = await take(store, "a", whole);
    const second = await take(
      store,
      "b",
      documents(300, 1, (at) => at < 20),
      first,
    );
    for (const key of objects.keys()) if (key.startsWith(`packs/${idOf("a")}`)) objects.delete(key);
    clock.advance(12 * hourMs);
    await assert.rejects(renew(second), { name: "SnapshotDamaged", message: /^packs\/a{24}\/.* is missing$/ });
    for (const prefix of ["packs/", "manifests/", "catalogue/"]) assert.equal(hoursLeft(`${prefix}${idOf("b")}`), 24);
  });

  test("what opens the store is locked with it", async () => {
    const { clock, locks, hoursLeft, store } = await createWorld();
    await store.keySlots.add(Buffer.alloc(32, 7), "another");
    clock.advance(12 * hourMs);
    assert.equal(await locks.renewKeys(clock.nowMs(), never), 5, "the format and two copies of two slots");
    assert.deepEqual([hoursLeft("keys/"), hoursLeft("format")], [24, 24]);
  });
});

describeBlobLock("objects in memory", async () => {
  const clock = createFakeClock();
  return { blobs: createLockingBlobStore(clock).blobs, nowMs: clock.nowMs, close: async () => undefined };
});
