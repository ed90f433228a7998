import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, type DomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { idOf, snapshot } from "../../../test/support/records.ts";
import { createSnapshotExpiry } from "./expiry.ts";

const request = { by: "abcdefgh", reason: "the audit of 2026" };

/** An instance with two completed snapshots, of which the older is past its time. */
async function worldWithSnapshots(): Promise<{ readonly world: DomainWorld; readonly deploymentId: string }> {
  const world = await createDomainWorld();
  const deploymentId = await world.instance("Instance0");
  await world.metadata.snapshots.insert(snapshot(idOf(1), { deploymentId, expiresAtMs: world.clock.nowMs() }));
  await world.metadata.snapshots.insert(snapshot(idOf(2), { deploymentId, expiresAtMs: world.clock.nowMs() + 9e9 }));
  return { world, deploymentId };
}

describe("holds", () => {
  test("a held snapshot neither expires nor can be deleted, and tells who holds it, when and why; released it goes", async () => {
    const { world } = await worldWithSnapshots();
    const { services, projectId, clock } = world;
    const expiry = createSnapshotExpiry(world);
    const held = await services.snapshotCare.hold(projectId, "Instance0", idOf(1), request);
    assert.deepEqual(held.hold, { atMs: clock.nowMs(), ...request });
    clock.advance(1_000_000);
    assert.equal(await expiry.removeExpired(10), 0);
    await assert.rejects(
      services.snapshots.delete(projectId, "Instance0", idOf(1)),
      errorOf("conflict", "SNAPSHOT_HELD", undefined, [idOf(1)]),
    );
    assert.equal((await services.snapshotCare.release(projectId, "Instance0", idOf(1))).hold, undefined);
    assert.equal(await expiry.removeExpired(10), 1);
  });

  test("holding twice, releasing what is not held, and holding what is not completed are refused", async () => {
    const { world, deploymentId } = await worldWithSnapshots();
    const { services, projectId, metadata } = world;
    await services.snapshotCare.hold(projectId, "Instance0", idOf(1), request);
    const hold = (id: string) => services.snapshotCare.hold(projectId, "Instance0", id, { by: "x", reason: "y" });
    await assert.rejects(hold(idOf(1)), errorOf("conflict", "SNAPSHOT_ALREADY_HELD"));
    assert.equal((await services.snapshotCare.get(projectId, "Instance0", idOf(1))).hold?.reason, request.reason);
    await assert.rejects(
      services.snapshotCare.release(projectId, "Instance0", idOf(2)),
      errorOf("conflict", "SNAPSHOT_NOT_HELD"),
    );
    for (const [number, status] of [
      [3, "queued"],
      [4, "failed"],
    ] as const) {
      await metadata.snapshots.insert(snapshot(idOf(number), { deploymentId, status }));
      await assert.rejects(hold(idOf(number)), errorOf("conflict", "SNAPSHOT_NOT_COMPLETED"));
    }
    await assert.rejects(hold(idOf(9)), errorOf("not_found", "SNAPSHOT_NOT_FOUND"));
    await assert.rejects(
      services.snapshotCare.hold(projectId, "Nowhere", idOf(1), request),
      errorOf("not_found", "DEPLOYMENT_NOT_FOUND"),
    );
  });

  test("an instance does not go while one of its snapshots is held, and none is held once it goes", async () => {
    const { world, deploymentId } = await worldWithSnapshots();
    const { services, projectId, metadata } = world;
    await services.snapshotCare.hold(projectId, "Instance0", idOf(2), request);
    await assert.rejects(
      services.serverlessInstances.delete(projectId, "Instance0"),
      errorOf("conflict", "DEPLOYMENT_HAS_HELD_SNAPSHOTS"),
    );
    assert.equal((await metadata.deployments.find(deploymentId))?.state, "IDLE");
    await services.snapshotCare.release(projectId, "Instance0", idOf(2));
    await services.serverlessInstances.delete(projectId, "Instance0");
    await assert.rejects(
      services.snapshotCare.hold(projectId, "Instance0", idOf(2), request),
      errorOf("invalid", "CLUSTER_ALREADY_REQUESTED_DELETION"),
    );
  });

  test("each change gives the store's copy the next revision, by one job for all that is due", async () => {
    const { world, deploymentId } = await worldWithSnapshots();
    const { services, projectId, metadata } = world;
    const before = await services.snapshotCare.get(projectId, "Instance0", idOf(1));
    await services.snapshotCare.hold(projectId, "Instance0", idOf(1), request);
    await services.snapshotCare.release(projectId, "Instance0", idOf(1));
    await services.snapshotCare.hold(projectId, "Instance0", idOf(2), request);
    const after = await services.snapshotCare.get(projectId, "Instance0", idOf(1));
    assert.deepEqual([after.catalogueRevision, after.catalogueDue], [before.catalogueRevision + 2, true]);
    assert.deepEqual(
      (await metadata.snapshots.catalogueDue(10)).map(({ id }) => id),
      [idOf(1), idOf(2)],
    );
    await metadata.jobs.finish(await world.lease("catalogueSnapshots"));
    assert.equal(await metadata.jobs.unfinishedOf("catalogueSnapshots"), false);
    assert.equal((await metadata.snapshots.page(deploymentId, everything)).totalCount, 2);
  });
});

describe("trials on demand", () => {
  test("are a job for a completed snapshot, one at a time", async () => {
    const { world, deploymentId } = await worldWithSnapshots();
    const { services, projectId, metadata } = world;
    await services.snapshotCare.drill(projectId, "Instance0", idOf(1));
    const again = services.snapshotCare.drill(projectId, "Instance0", idOf(1));
    await assert.rejects(again, errorOf("conflict", "DRILL_UNDER_WAY"));
    const job = await world.lease("drill");
    assert.deepEqual([job.subjectId, job.exclusiveKey], [idOf(1), deploymentId]);
    await metadata.snapshots.insert(snapshot(idOf(3), { deploymentId, status: "failed" }));
    const failed = services.snapshotCare.drill(projectId, "Instance0", idOf(3));
    await assert.rejects(failed, errorOf("conflict", "SNAPSHOT_NOT_COMPLETED"));
  });
});
