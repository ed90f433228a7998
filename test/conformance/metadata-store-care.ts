import assert from "node:assert/strict";
import { test } from "node:test";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { deployment, deploymentId, idOf, job, snapshot } from "../support/records.ts";

const otherDeploymentId = idOf(0xc1);

export function storeCarePromises(metadata: () => Metadata): void {
  test("ids of snapshots that are there or were deleted are known, also those that went with their deployment", async () => {
    const { snapshots, deployments } = metadata();
    await deployments.insert(deployment({ id: otherDeploymentId, name: "Other" }));
    for (const number of [1, 2]) await snapshots.insert(snapshot(idOf(number)));
    await snapshots.insert(snapshot(idOf(3), { deploymentId: otherDeploymentId }));
    await snapshots.delete(idOf(1));
    await deployments.delete(otherDeploymentId);
    assert.deepEqual(await snapshots.neverKnown([1, 2, 3, 4].map(idOf)), new Set([idOf(4)]));
    assert.deepEqual(await snapshots.neverKnown([]), new Set());
    const many = Array.from({ length: 1201 }, (_, index) => idOf(index + 1));
    assert.equal((await snapshots.neverKnown(many)).size, 1198);
  });

  test("a held snapshot does not expire, and does once it is let go", async () => {
    const { snapshots } = metadata();
    const hold = { atMs: 5, by: "abcdefgh", reason: "the audit" };
    await snapshots.insert(snapshot(idOf(1), { expiresAtMs: 10, hold }));
    assert.deepEqual(await snapshots.expired(10, 5), []);
    await snapshots.insert(snapshot(idOf(2)));
    assert.deepEqual((await snapshots.find(deploymentId, idOf(1)))?.hold, hold);
    assert.deepEqual(
      [await snapshots.anyHeld(deploymentId), await snapshots.anyHeld(otherDeploymentId)],
      [true, false],
    );
    assert.deepEqual(await snapshots.expired(10, 5), []);
    await snapshots.update(idOf(1), { hold: undefined });
    assert.equal(await snapshots.anyHeld(deploymentId), false);
    assert.deepEqual(
      (await snapshots.expired(10, 5)).map(({ id }) => id),
      [idOf(1)],
    );
  });

  test("what a snapshot in progress shares with is live, until it has ended", async () => {
    const { snapshots } = metadata();
    await snapshots.insert(snapshot(idOf(1), { status: "inProgress", manifestKey: undefined, parentManifestKey: "p" }));
    assert.deepEqual(await snapshots.liveManifestKeys(), new Set(["p"]));
    await snapshots.update(idOf(1), { status: "failed", parentManifestKey: undefined });
    assert.deepEqual(await snapshots.liveManifestKeys(), new Set());
  });

  test("the last proof of a deployment is the latest of any of its snapshots, the last trial too", async () => {
    const { snapshots } = metadata();
    await snapshots.insert(snapshot(idOf(1)));
    assert.deepEqual(await snapshots.lastDrills(), new Map());
    await snapshots.update(idOf(1), { provenAtMs: 7, drilledAtMs: 7 });
    await snapshots.insert(snapshot(idOf(2), { drilledAtMs: 9, drillFailureReason: "does not restore" }));
    assert.deepEqual(await snapshots.lastDrills(), new Map([[deploymentId, { provenAtMs: 7, drilledAtMs: 9 }]]));
    await snapshots.update(idOf(2), { hold: { atMs: 1, by: "x", reason: "y" } });
    assert.deepEqual(await snapshots.careCounts(), { held: 1, proven: 1, drillFailed: 1 });
  });

  test("snapshots whose copy in the store is older than their record are known until it is written", async () => {
    const { snapshots } = metadata();
    await snapshots.insert(snapshot(idOf(1), { catalogueDue: true }));
    await snapshots.insert(snapshot(idOf(2), { catalogueDue: true, status: "failed" }));
    await snapshots.insert(snapshot(idOf(3)));
    const due = async () => (await snapshots.catalogueDue(10)).map(({ id }) => id);
    assert.deepEqual(await due(), [idOf(1)]);
    await snapshots.update(idOf(1), { catalogueDue: false, catalogueRevision: 2 });
    assert.deepEqual(await due(), []);
  });

  test("completed snapshots of a deployment are read newest first, some at a time", async () => {
    const { snapshots } = metadata();
    for (const number of [1, 2, 3, 4])
      await snapshots.insert(snapshot(idOf(number), number === 3 ? { status: "failed" } : {}));
    const [newest, next] = await snapshots.completedBefore(deploymentId, undefined, 2);
    assert.deepEqual([newest?.id, next?.id], [idOf(4), idOf(2)]);
    const older = await snapshots.completedBefore(deploymentId, next?.sequence, 2);
    assert.deepEqual(
      older.map(({ id }) => id),
      [idOf(1)],
    );
    assert.deepEqual(await snapshots.completedBefore(idOf(0xc9), undefined, 2), []);
  });

  test("objects are checked least recently first, new ones before all, and those that are gone are forgotten", async () => {
    const { objectChecks } = metadata();
    await objectChecks.replaceWith(new Set(["a", "b", "c"]));
    await objectChecks.checked(["a", "c"], 9);
    await objectChecks.checked(["c"], 8);
    assert.deepEqual(
      (await objectChecks.leastRecent(10)).map(({ objectKey, checkedAtMs }) => `${objectKey} ${checkedAtMs}`),
      ["b 0", "c 8", "a 9"],
    );
    await objectChecks.replaceWith(new Set(["c", "d"]));
    assert.deepEqual(
      (await objectChecks.leastRecent(1)).map(({ objectKey }) => objectKey),
      ["d"],
    );
    const many = new Set(Array.from({ length: 1200 }, (_, index) => `o${index}`));
    await objectChecks.replaceWith(many);
    assert.equal((await objectChecks.leastRecent(5000)).length, 1200);
  });

  test("an unfinished job of a kind is known", async () => {
    const { jobs } = metadata();
    assert.equal(await jobs.unfinishedOf("drill"), false);
    await jobs.insert(job(idOf(1), { kind: "drill" }));
    assert.deepEqual([await jobs.unfinishedOf("drill"), await jobs.unfinishedOf("scrub")], [true, false]);
  });

  test("a collection of garbage on demand comes back as it went in, with its report, and old results are forgotten", async () => {
    const { garbageCollections } = metadata();
    const asked = {
      id: idOf(1),
      status: "queued",
      requestedAtMs: 5,
      finishedAtMs: undefined,
      dryRun: true,
      graceMs: 7,
      repacksMax: 0,
      report: undefined,
      failureReason: undefined,
    } as const;
    await garbageCollections.insert(asked);
    assert.deepEqual(await garbageCollections.find(idOf(1)), asked);
    const report = {
      deletedObjectCount: 1,
      deletedSizeBytes: 2,
      lockedObjectCount: 0,
      lockedSizeBytes: 0,
      waitingObjectCount: 3,
      waitingSizeBytes: 4,
      nextAtMs: undefined,
      unknownSnapshotIds: [idOf(3)],
      repackedPackCount: 5,
      repackedSizeBytes: 6,
    };
    const done = { status: "completed", finishedAtMs: 9, report } as const;
    await garbageCollections.update(idOf(1), done);
    assert.deepEqual(await garbageCollections.find(idOf(1)), { ...asked, ...done });
    await garbageCollections.insert({ ...asked, id: idOf(2) });
    await garbageCollections.insert({
      ...asked,
      id: idOf(3),
      status: "failed",
      finishedAtMs: 2,
      failureReason: "full",
    });
    await garbageCollections.deleteOld(1);
    const left = await Promise.all(
      [1, 2, 3].map(async (number) => (await garbageCollections.find(idOf(number)))?.status),
    );
    assert.deepEqual(left, [undefined, "queued", "failed"]);
  });
}
