import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { errorOf } from "../../../test/support/domain-world.ts";
import { createJobsWorld, describe, documentOf, type JobsWorld } from "../../../test/support/jobs-world.ts";
import { collectionsKept } from "../../domain/backups/garbage-collection-service.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import { collectGarbageOnDemand } from "./collectGarbageOnDemand.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const never = new AbortController().signal;

/** A store with one snapshot that nothing needs any more. */
async function worldWithGarbage(): Promise<JobsWorld> {
  const world = await createJobsWorld();
  await world.instance("Instance0");
  world.data.set("orders", { description: describe("orders"), documents: [documentOf(1, "one")] });
  const { id } = await world.services.snapshots.take(world.projectId, "Instance0", {});
  const task = takeSnapshot({ ...world, transitions: createSnapshotTransitions(world) });
  await task.run(await world.lease("takeSnapshot"), never);
  await world.metadata.snapshots.delete(id);
  return world;
}

const stored = async (world: JobsWorld): Promise<number> => (await Array.fromAsync(world.repository.objects())).length;

suite("collecting garbage on demand", () => {
  test("does what was asked for, in the order of asking, and keeps what it did", async () => {
    const world = await worldWithGarbage();
    const { garbageCollections } = world.services;
    const before = await stored(world);
    const dry = await garbageCollections.request({ dryRun: true, graceMs: 0 });
    const marked = await garbageCollections.request({});
    const done = await garbageCollections.request({ graceMs: 0 });
    assert.equal((await garbageCollections.get(done.id)).status, "queued");
    const task = collectGarbageOnDemand(world);
    const next = async () => task.run(await world.lease("collectGarbageOnDemand"), never);
    await next();
    const { status, report, finishedAtMs } = await garbageCollections.get(dry.id);
    assert.deepEqual([status, report?.deletedObjectCount, finishedAtMs], ["completed", 3, world.clock.nowMs()]);
    assert.equal(await stored(world), before, "nothing was changed");
    await next();
    assert.deepEqual((await garbageCollections.get(marked.id)).report?.waitingObjectCount, 3, "it waits a day");
    assert.equal(await world.metadata.jobs.unfinishedOf("collectGarbage"), true, "and is deleted when that is over");
    await next();
    assert.equal((await garbageCollections.get(done.id)).report?.deletedObjectCount, 3);
    assert.ok((await stored(world)) < before);
    assert.equal(await world.metadata.jobs.unfinishedOf("collectGarbageOnDemand"), false);
  });

  test("a failure is kept with its reason", async () => {
    const world = await worldWithGarbage();
    const { id } = await world.services.garbageCollections.request({});
    const job = await world.lease("collectGarbageOnDemand");
    const collectGarbage = () => Promise.reject(new Error("the disk is gone"));
    const task = collectGarbageOnDemand({ ...world, repository: { ...world.repository, collectGarbage } });
    await assert.rejects(task.run(job, never), /disk is gone/);
    await task.giveUp(job, "the disk is gone");
    const { status, failureReason, report } = await world.services.garbageCollections.get(id);
    assert.deepEqual([status, failureReason, report], ["failed", "the disk is gone", undefined]);
  });

  test("the newest results are remembered, and none that is not finished is forgotten", async () => {
    const world = await createJobsWorld();
    const { garbageCollections } = world.services;
    const task = collectGarbageOnDemand(world);
    const waiting = await garbageCollections.request({});
    const ids: string[] = [];
    for (let count = 0; count < collectionsKept + 2; count += 1) {
      const { id } = await garbageCollections.request({});
      await world.metadata.garbageCollections.update(id, { status: "completed", finishedAtMs: 1 });
      ids.push(id);
    }
    await garbageCollections.request({});
    for (const id of ids.slice(0, 2))
      await assert.rejects(garbageCollections.get(id), errorOf("not_found", "GARBAGE_COLLECTION_NOT_FOUND"));
    assert.equal((await garbageCollections.get(ids[2] ?? "")).id, ids[2]);
    assert.equal((await garbageCollections.get(waiting.id)).status, "queued");
    await task.run(await world.lease("collectGarbageOnDemand"), never);
    assert.equal((await garbageCollections.get(waiting.id)).status, "completed");
  });

  test("two collections at once do one after the other", async () => {
    const world = await worldWithGarbage();
    const request = {
      liveManifestKeys: async () => new Set<string>(),
      snapshotIdsInProgress: async () => new Set<string>(),
      neverKnown: async () => new Set<string>(),
      nowMs: world.clock.nowMs(),
      graceMs: 0,
    };
    const both = await Promise.all([
      world.repository.collectGarbage(request),
      world.repository.collectGarbage(request),
    ]);
    assert.deepEqual(
      both.map(({ deletedObjectCount }) => deletedObjectCount),
      [3, 0],
    );
    const broken = { ...request, liveManifestKeys: () => Promise.reject(new Error("the metadata is gone")) };
    await assert.rejects(world.repository.collectGarbage(broken), /metadata is gone/);
    assert.equal((await world.repository.collectGarbage(request)).deletedObjectCount, 0, "a failure blocks nobody");
  });
});
