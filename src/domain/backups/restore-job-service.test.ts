import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { idOf, snapshot } from "../../../test/support/records.ts";
import { createRestoreTransitions } from "./restore-transitions.ts";

/** Two instances; the first has a completed snapshot. */
async function createRestoreWorld() {
  const world = await createDomainWorld();
  const sourceId = await world.instance("Source");
  const targetId = await world.instance("Target");
  const snapshotId = idOf(1);
  await world.metadata.snapshots.insert(snapshot(snapshotId, { deploymentId: sourceId }));
  const request = { deliveryType: "automated", snapshotId, targetProjectId: world.projectId, targetName: "Target" };
  const restore = (changes: object = {}, may: boolean = true) =>
    world.services.restoreJobs.create(world.projectId, "Source", { ...request, ...changes }, () => may);
  return { ...world, sourceId, targetId, snapshotId, restore, transitions: createRestoreTransitions(world) };
}

describe("restore jobs", () => {
  test("a new one is unfinished, belongs to the source's list and has a job on the target's key", async () => {
    const { services, projectId, targetId, snapshotId, restore, clock, lease } = await createRestoreWorld();
    const created = await restore();
    assert.deepEqual(
      [created.targetName, created.targetProjectId, created.snapshotId, created.snapshotCreatedAtMs],
      ["Target", projectId, snapshotId, 1_767_225_601_000],
    );
    assert.deepEqual([created.finishedAtMs, created.failed, created.requestedAtMs], [undefined, false, clock.nowMs()]);
    assert.deepEqual(await services.restoreJobs.get(projectId, "Source", created.id), created);
    assert.deepEqual((await services.restoreJobs.list(projectId, "Source", everything)).items, [created]);
    assert.deepEqual((await services.restoreJobs.list(projectId, "Target", everything)).items, []);
    const job = await lease("restore");
    assert.deepEqual([job.subjectId, job.exclusiveKey], [created.id, targetId]);
  });

  test("unknown and malformed ids of jobs have their errors", async () => {
    const { services, projectId } = await createRestoreWorld();
    const get = (id: string, name = "Source") => services.restoreJobs.get(projectId, name, id);
    await assert.rejects(get(idOf(9)), errorOf("not_found", "RESTORE_JOB_NOT_FOUND", undefined, [idOf(9), "Source"]));
    await assert.rejects(get("nope"), errorOf("not_found", "INVALID_JOB_ID", undefined, ["nope"]));
    await assert.rejects(get(idOf(9), "Nowhere"), errorOf("not_found", "SERVERLESS_INSTANCE_NOT_FOUND"));
  });

  test("without the role on the target nothing about it shows: there or not, the answer is the same", async () => {
    const { restore, projectId, services } = await createRestoreWorld();
    const refusal = errorOf(
      "forbidden",
      "CANNOT_RESTORE_TO_TARGET",
      "Cannot restore with insufficient permission on source snapshot or target cluster.",
      [],
    );
    await assert.rejects(restore({}, false), refusal);
    await assert.rejects(restore({ targetName: "Nowhere" }, false), refusal);
    await assert.rejects(restore({ targetProjectId: idOf(77) }, false), refusal);
    assert.equal((await services.restoreJobs.list(projectId, "Source", everything)).totalCount, 0);
  });

  test("what is missing or wrong is named", async () => {
    const { restore } = await createRestoreWorld();
    const cases: readonly [object, Parameters<typeof errorOf>][] = [
      [{ deliveryType: "download" }, ["not_implemented", "UNSUPPORTED_DELIVERY_METHOD"]],
      [{ deliveryType: "pointInTime" }, ["not_implemented", "UNSUPPORTED_DELIVERY_METHOD"]],
      [{ deliveryType: "carrierPigeon" }, ["invalid", "INVALID_ENUM_VALUE"]],
      [{ snapshotId: undefined }, ["invalid", "MISSING_ATTRIBUTE"]],
      [{ snapshotId: "" }, ["invalid", "MISSING_ATTRIBUTE"]],
      [{ snapshotId: "xyz" }, ["not_found", "INVALID_SNAPSHOT_ID"]],
      [{ snapshotId: idOf(2) }, ["not_found", "SNAPSHOT_NOT_FOUND"]],
      [{ targetProjectId: "" }, ["invalid", "MISSING_ATTRIBUTE"]],
      [{ targetProjectId: "xyz" }, ["not_found", "INVALID_GROUP_ID"]],
      [{ targetName: "" }, ["invalid", "MISSING_ATTRIBUTE"]],
      [{ targetName: "Nowhere" }, ["not_found", "SERVERLESS_INSTANCE_NOT_FOUND"]],
      [{ targetProjectId: idOf(77) }, ["not_found", "SERVERLESS_INSTANCE_NOT_FOUND"]],
    ];
    for (const [changes, refusal] of cases) {
      await assert.rejects(restore(changes), errorOf(...refusal), JSON.stringify(changes));
    }
  });

  test("only a completed snapshot is restored, and a target takes one restore at a time", async () => {
    const { restore, metadata, snapshotId, services, projectId } = await createRestoreWorld();
    for (const status of ["queued", "inProgress", "failed"] as const) {
      await metadata.snapshots.update(snapshotId, { status });
      const code = "CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT";
      await assert.rejects(restore(), errorOf("conflict", code), status);
    }
    await metadata.snapshots.update(snapshotId, { status: "completed" });
    const outcomes = await Promise.allSettled([restore(), restore()]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).toSorted(), ["fulfilled", "rejected"]);
    await assert.rejects(
      restore(),
      errorOf("conflict", "ATLAS_CLUSTER_RESTORE_IN_PROGRESS", "Cluster restore already in progress."),
    );
    await restore({ targetName: "Source" });
    await services.serverlessInstances.delete(projectId, "Target");
    await assert.rejects(restore(), errorOf("invalid", "CLUSTER_ALREADY_REQUESTED_DELETION"));
  });
});

describe("a restore's way", () => {
  test("it writes the next generation, and its end and the move are one", async () => {
    const { restore, lease, transitions, metadata, targetId, sourceId, clock, snapshotId } = await createRestoreWorld();
    const { id } = await restore();
    const job = await lease("restore");
    const inHand = await transitions.begin(job);
    assert.deepEqual(
      [inHand?.restoreJob.id, inHand?.snapshot.manifestKey, inHand?.target.id, inHand?.nextGeneration],
      [id, `manifests/${snapshotId}`, targetId, 2],
    );
    assert.equal((await metadata.deployments.find(targetId))?.generation, 1);
    clock.advance(1000);
    assert.equal(await transitions.finish(job, 2), true);
    assert.equal((await metadata.deployments.find(targetId))?.generation, 2);
    const ended = await metadata.restoreJobs.find(sourceId, id);
    assert.deepEqual([ended?.finishedAtMs, ended?.failed], [clock.nowMs(), false]);
    assert.equal(await metadata.jobs.unfinishedFor(id), false);
    assert.equal(await transitions.finish(job, 3), false);
    assert.equal((await metadata.deployments.find(targetId))?.generation, 2);
  });

  test("a failure leaves the target as it was and says why", async () => {
    const { restore, lease, transitions, metadata, targetId, sourceId } = await createRestoreWorld();
    const { id } = await restore();
    const job = await lease("restore");
    await transitions.begin(job);
    assert.equal(await transitions.fail(job, "The snapshot is damaged."), true);
    const ended = await metadata.restoreJobs.find(sourceId, id);
    assert.deepEqual([ended?.failed, ended?.failureReason], [true, "The snapshot is damaged."]);
    assert.notEqual(ended?.finishedAtMs, undefined);
    assert.equal((await metadata.deployments.find(targetId))?.generation, 1);
    assert.equal(await transitions.finish(job, 2), false);
    await restore();
  });

  test("who has lost the lease moves nothing", async () => {
    const { restore, lease, transitions, metadata, targetId, clock } = await createRestoreWorld();
    await restore();
    const lost = await lease("restore", 100);
    await transitions.begin(lost);
    clock.advance(100);
    const taken = await lease("restore");
    assert.equal(await transitions.begin(lost), undefined);
    assert.equal(await transitions.finish(lost, 2), false);
    assert.equal(await transitions.fail(lost, "late"), false);
    assert.equal((await metadata.deployments.find(targetId))?.generation, 1);
    assert.equal(await transitions.finish(taken, 3), false, "not a generation that was not next");
    assert.equal(await transitions.finish(taken, 2), true);
  });

  test("a target that is being deleted, or a source that is gone, ends the restore without touching anything", async () => {
    const { restore, lease, transitions, metadata, services, projectId, sourceId } = await createRestoreWorld();
    const { id } = await restore();
    await services.serverlessInstances.delete(projectId, "Target");
    assert.equal(await transitions.begin(await lease("restore")), undefined);
    assert.equal((await metadata.restoreJobs.find(sourceId, id))?.failed, true);
    await lease("deprovision");

    const again = await createRestoreWorld();
    await again.restore();
    await again.metadata.deployments.delete(again.sourceId);
    const job = await again.lease("restore");
    assert.equal(await again.transitions.begin(job), undefined);
    assert.equal(await again.metadata.jobs.holds(job), false);
  });
});
