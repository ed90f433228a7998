import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, everything } from "../../../test/support/domain-world.ts";
import { deployment, idOf, snapshot } from "../../../test/support/records.ts";
import { createSnapshotExpiry } from "./expiry.ts";
import { policyOf } from "./policy.ts";

describe("expiry", () => {
  test("a snapshot goes at its time and not before, at most so many at once", async () => {
    const { metadata, clock, services, projectId, instance } = await createDomainWorld();
    const deploymentId = await instance("Instance0");
    const expiresAtMs = clock.nowMs() + 1000;
    for (const number of [1, 2, 3]) {
      await metadata.snapshots.insert(snapshot(idOf(number), { deploymentId, expiresAtMs }));
    }
    await metadata.snapshots.insert(snapshot(idOf(4), { deploymentId, expiresAtMs: expiresAtMs + 1 }));
    const expiry = createSnapshotExpiry({ metadata, clock });
    clock.advance(999);
    assert.equal(await expiry.removeExpired(10), 0);
    clock.advance(1);
    assert.equal(await expiry.removeExpired(2), 2);
    assert.equal(await expiry.removeExpired(2), 1);
    assert.equal(await expiry.removeExpired(2), 0);
    const left = await services.snapshots.list(projectId, "Instance0", everything);
    assert.deepEqual([left.items.map((one) => one.id), left.totalCount], [[idOf(4)], 1]);
  });

  test("a snapshot that an unfinished restore needs stays until the restore has ended", async () => {
    const { metadata, clock, services, projectId, instance } = await createDomainWorld();
    const deploymentId = await instance("Instance0");
    const expiresAtMs = clock.nowMs() + 1000;
    await metadata.snapshots.insert(snapshot(idOf(1), { deploymentId, expiresAtMs }));
    await metadata.snapshots.insert(snapshot(idOf(2), { deploymentId }));
    const request = {
      deliveryType: "automated",
      snapshotId: idOf(1),
      targetProjectId: projectId,
      targetName: "Instance0",
    };
    const restore = await services.restoreJobs.create(projectId, "Instance0", request, () => true);
    const expiry = createSnapshotExpiry({ metadata, clock });
    clock.advance(5000);
    assert.equal(await expiry.removeExpired(10), 0);
    await metadata.restoreJobs.update(restore.id, { finishedAtMs: clock.nowMs() });
    assert.equal(await expiry.removeExpired(10), 1);
  });

  test("what is queued or in progress never expires, however long it takes", async () => {
    const { metadata, clock, services, projectId, instance } = await createDomainWorld();
    await instance("Instance0");
    await services.snapshots.take(projectId, "Instance0", { retentionInDays: 1 });
    clock.advance(10 * 24 * 3_600_000);
    assert.equal(await createSnapshotExpiry({ metadata, clock }).removeExpired(10), 0);
  });

  test("an instance that stood still for a year still has its newest two, or one, as its policy says, until newer ones are completed", async () => {
    for (const [continuous, stay] of [
      [false, [idOf(2), idOf(3)]],
      [true, [idOf(3)]],
    ] as const) {
      const world = await createDomainWorld();
      const { metadata, clock, services, projectId } = world;
      const deploymentId = await world.instance("Instance0");
      const newestKept = policyOf(deployment({ continuousBackupEnabled: continuous })).keepNewest;
      const expiresAtMs = clock.nowMs() + 43_200_000;
      for (const number of [1, 2, 3])
        await metadata.snapshots.insert(snapshot(idOf(number), { deploymentId, expiresAtMs, newestKept }));
      clock.advance(365 * 86_400_000);
      const expiry = createSnapshotExpiry(world);
      while ((await expiry.removeExpired(10)) > 0);
      const left = async () =>
        (await services.snapshots.list(projectId, "Instance0", everything)).items.map(({ id }) => id).toSorted();
      assert.deepEqual(await left(), stay);
      for (const number of [4, 5])
        await metadata.snapshots.insert(snapshot(idOf(number), { deploymentId, expiresAtMs: clock.nowMs() + 1 }));
      while ((await expiry.removeExpired(10)) > 0);
      assert.deepEqual(await left(), [idOf(4), idOf(5)]);
    }
  });
});
