import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { createJobsWorld, describe, documentOf, type JobsWorld } from "../../../test/support/jobs-world.ts";
import { createLockingBlobStore } from "../../../test/store/locking-blob-store.ts";
import { openBackupStore } from "../../backup-store/index.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { recover } from "../recover.ts";
import { catalogueSnapshots } from "./catalogueSnapshots.ts";
import { renewLocks } from "./renewLocks.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const hourMs = 3_600_000;
const never = new AbortController().signal;

/** A store that locks for a day, and an instance whose content does not change. */
async function createWorld() {
  const jobs = await createJobsWorld();
  const locking = createLockingBlobStore(jobs.clock);
  const randomBytes = (length: number): Uint8Array => jobs.ids.randomBytes(length);
  const repository = await openBackupStore({ blobs: locking.blobs, secret: new Uint8Array(32), randomBytes });
  const world: JobsWorld = { ...jobs, repository };
  await world.instance("Instance0");
  const documents = Array.from({ length: 300 }, (_, index) => documentOf(index, "text ".repeat(50)));
  world.data.set("orders", { description: describe("orders"), documents });
  const take = async (): Promise<SnapshotRecord> => {
    const { id } = await world.services.snapshots.take(world.projectId, "Instance0", { retentionInDays: 3 });
    const task = takeSnapshot({ ...world, transitions: createSnapshotTransitions(world) });
    await task.run(await world.lease("takeSnapshot"), never);
    return world.services.snapshots.get(world.projectId, "Instance0", id);
  };
  const look = async (): Promise<void> => renewLocks(world).run(await world.lease("renewLocks"), never);
  /** Hours for which the pack, and the snapshot's manifest and records, are locked, the newest of each. */
  const hoursLeft = ({ id }: SnapshotRecord): readonly number[] =>
    ["packs/", `manifests/${id}`, `catalogue/${id}`].map((prefix) => {
      const untilMs = [...locking.locks].filter(([key]) => key.startsWith(prefix)).map(([, ms]) => ms);
      return (Math.max(...untilMs) - world.clock.nowMs()) / hourMs;
    });
  return { world, ...locking, take, look, hoursLeft };
}

suite("locks of the store", () => {
  test("a completed snapshot's objects are locked for a whole time, those that it shares too", async () => {
    const { world, take, hoursLeft, objects } = await createWorld();
    await take();
    world.clock.advance(20 * hourMs);
    assert.deepEqual(hoursLeft(await take()), [24, 24, 24]);
    assert.equal([...objects.keys()].filter((key) => key.startsWith("packs/")).length, 1);
  });

  test("what a snapshot shares and is not there any more is stored again", async () => {
    const { take, objects } = await createWorld();
    await take();
    for (const key of objects.keys()) if (key.startsWith("packs/")) objects.delete(key);
    const { status } = await take();
    assert.equal(status, "completed");
    assert.equal([...objects.keys()].filter((key) => key.startsWith("packs/")).length, 1);
  });

  test("are looked at from the start and again after a quarter of their time, so that no kept snapshot is ever without", async () => {
    const { world, take, look, hoursLeft, asked } = await createWorld();
    const older = await take();
    const newer = await take();
    await recover(world);
    for (let hours = 0; hours < 60; hours += 6) {
      await look();
      assert.equal((await world.metadata.jobs.nextDueMs(["renewLocks"])) ?? 0, world.clock.nowMs() + 6 * hourMs);
      for (const one of [older, newer]) assert.ok(hoursLeft(one).every((left) => left >= 12));
      world.clock.advance(6 * hourMs);
    }
    assert.ok(asked().renewals < 60, `${asked().renewals} renewals of at most 8 objects in 60 hours`);
    await look();
    assert.deepEqual(hoursLeft(older).slice(1), [12, 12], "not longer than it stays");
    assert.deepEqual(hoursLeft(newer), [24, 24, 24], "the newest stays until another has taken its place");
  });

  test("a hold has them last on, and letting go lets them end", async () => {
    const { world, take, look, hoursLeft } = await createWorld();
    const held = await take();
    await take();
    await recover(world);
    const tell = async () => catalogueSnapshots(world).run(await world.lease("catalogueSnapshots"), never);
    world.clock.advance(12 * hourMs);
    const request = { by: "abcdefgh", reason: "the audit" };
    await world.services.snapshotCare.hold(world.projectId, "Instance0", held.id, request);
    await tell();
    assert.deepEqual(hoursLeft(held), [24, 24, 24]);
    world.clock.advance(100 * hourMs);
    await look();
    assert.deepEqual(hoursLeft(held), [24, 24, 24]);
    await world.services.snapshotCare.release(world.projectId, "Instance0", held.id);
    await tell();
    world.clock.advance(23 * hourMs);
    await look();
    assert.equal(hoursLeft(held)[1], 1);
  });

  test("one snapshot that is damaged does not keep the others from being locked, and is told of", async () => {
    const { world, take, look, hoursLeft, objects } = await createWorld();
    const whole = await take();
    const damaged = await take();
    for (const key of objects.keys()) if (key.startsWith(`manifests/${damaged.id}`)) objects.delete(key);
    await recover(world);
    world.clock.advance(12 * hourMs);
    await look();
    assert.deepEqual(hoursLeft(whole), [24, 24, 24]);
    assert.match(world.logged.join("\n"), /could not all be locked anew .*"objectKey":"manifests\//);
  });

  test("a store that cannot be asked is asked again, and a store without locks is never looked at", async () => {
    const { world, take } = await createWorld();
    await take();
    await recover(world);
    const job = await world.lease("renewLocks");
    const { locks } = world.repository;
    assert.ok(locks !== undefined);
    const renewKeys = () => Promise.reject(new Error("the network is down"));
    const task = renewLocks({ ...world, repository: { ...world.repository, locks: { ...locks, renewKeys } } });
    await assert.rejects(task.run(job, never), /network is down/);
    await task.giveUp(job, "the network is down");
    assert.equal(await world.metadata.jobs.unfinishedOf("renewLocks"), true);
    const without = await createJobsWorld();
    await recover(without);
    assert.equal(await without.metadata.jobs.unfinishedOf("renewLocks"), false);
  });
});
