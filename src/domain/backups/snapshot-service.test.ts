import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, errorOf, everything } from "../../../test/support/domain-world.ts";
import { idOf, snapshot } from "../../../test/support/records.ts";

const dayMs = 24 * 3_600_000;

describe("snapshots", () => {
  test("one taken now is queued with its job, expires counted from the request, and can be got and listed", async () => {
    const { services, projectId, clock, metadata, instance } = await createDomainWorld();
    const deploymentId = await instance("Instance0");
    const taken = await services.snapshots.take(projectId, "Instance0", { description: "before", retentionInDays: 2 });
    assert.deepEqual(
      [
        taken.status,
        taken.snapshotType,
        taken.frequencyType,
        taken.description,
        taken.storageSizeBytes,
        taken.createdAtMs,
      ],
      ["queued", "onDemand", "ondemand", "before", 0, undefined],
    );
    assert.equal(taken.expiresAtMs, clock.nowMs() + 2 * dayMs);
    assert.deepEqual(await services.snapshots.get(projectId, "Instance0", taken.id), taken);
    assert.deepEqual((await services.snapshots.list(projectId, "Instance0", everything)).items, [taken]);
    const job = await metadata.jobs.lease(["takeSnapshot"], "test", clock.nowMs(), 1000);
    assert.deepEqual([job?.subjectId, job?.exclusiveKey], [taken.id, deploymentId]);
  });

  test("retention: 1 to 3650 whole days, 1 when left out", async () => {
    const { services, projectId, clock, instance } = await createDomainWorld();
    await instance("Instance0");
    for (const retentionInDays of [0, 3651, 1.5, -1]) {
      await assert.rejects(
        services.snapshots.take(projectId, "Instance0", { retentionInDays }),
        errorOf("invalid", "BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID", "Retention value of snapshot is invalid."),
      );
    }
    assert.equal((await services.snapshots.take(projectId, "Instance0", {})).expiresAtMs, clock.nowMs() + dayMs);
    await assert.rejects(
      services.snapshots.take(projectId, "Instance0", { description: "d".repeat(1025) }),
      errorOf("invalid", "INVALID_ATTRIBUTE"),
    );
  });

  test("a second one on demand waits until the first has ended, also when both come at once", async () => {
    const { services, projectId, metadata, instance } = await createDomainWorld();
    await instance("Instance0");
    const take = () => services.snapshots.take(projectId, "Instance0", { retentionInDays: 1 });
    const outcomes = await Promise.allSettled([take(), take()]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).toSorted(), ["fulfilled", "rejected"]);
    await assert.rejects(
      take(),
      errorOf("invalid", "UNFINISHED_ON_DEMAND_SNAPSHOT", "Another on-demand snapshot is queued or in progress.", []),
    );
    const [first] = (await services.snapshots.list(projectId, "Instance0", everything)).items;
    await metadata.snapshots.update(first?.id ?? "", { status: "failed" });
    await take();
  });

  test("an unknown instance, a malformed id and an unknown id each have their error", async () => {
    const { services, projectId, organizationId, instance } = await createDomainWorld();
    await instance("Instance0");
    await instance("Instance1");
    const other = await services.projects.create({ name: "Other", organizationId });
    const missing = errorOf("not_found", "SERVERLESS_INSTANCE_NOT_FOUND");
    await assert.rejects(services.snapshots.list(projectId, "Nowhere", everything), missing);
    await assert.rejects(services.snapshots.list(other.id, "Instance0", everything), missing);
    await assert.rejects(services.snapshots.take(projectId, "Nowhere", {}), missing);
    const { id } = await services.snapshots.take(projectId, "Instance0", {});
    await assert.rejects(
      services.snapshots.get(projectId, "Instance1", id),
      errorOf("not_found", "SNAPSHOT_NOT_FOUND", `No snapshot with ID ${id} exists for cluster Instance1.`, [
        id,
        "Instance1",
      ]),
    );
    for (const malformed of ["", "xyz", id.toUpperCase().replace(/\d/g, "A"), `${id}0`]) {
      await assert.rejects(
        services.snapshots.get(projectId, "Instance0", malformed),
        errorOf("not_found", "INVALID_SNAPSHOT_ID", undefined, [malformed]),
      );
    }
  });

  test("only an ended snapshot that no restore needs is deleted", async () => {
    const { services, projectId, metadata, instance } = await createDomainWorld();
    const deploymentId = await instance("Instance0");
    const { id } = await services.snapshots.take(projectId, "Instance0", {});
    const remove = () => services.snapshots.delete(projectId, "Instance0", id);
    const underWay = errorOf(
      "invalid",
      "CANNOT_DELETE_IN_PROGRESS_SNAPSHOT",
      `Cannot delete an in progress snapshot ${id}.`,
    );
    await assert.rejects(remove(), underWay);
    await metadata.snapshots.update(id, { status: "inProgress" });
    await assert.rejects(remove(), underWay);
    await metadata.snapshots.update(id, { status: "completed", manifestKey: "manifests/1" });
    const target = { deliveryType: "automated", snapshotId: id, targetProjectId: projectId, targetName: "Instance0" };
    const restore = await services.restoreJobs.create(projectId, "Instance0", target, () => true);
    await assert.rejects(remove(), errorOf("conflict", "ATLAS_CLUSTER_RESTORE_IN_PROGRESS"));
    await metadata.restoreJobs.update(restore.id, { finishedAtMs: 1 });
    await remove();
    await assert.rejects(remove(), errorOf("not_found", "SNAPSHOT_NOT_FOUND"));
    await metadata.snapshots.insert(snapshot(idOf(1), { deploymentId, status: "failed" }));
    await services.snapshots.delete(projectId, "Instance0", idOf(1));
  });
});
