import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { createDomainWorld, everything } from "../../../test/support/domain-world.ts";
import { anyPolicy } from "../../../test/support/policies.ts";
import { deployment, idOf, snapshot } from "../../../test/support/records.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { createSnapshotExpiry } from "./expiry.ts";
import { policyOf } from "./policy.ts";
import { createSnapshotTransitions } from "./snapshot-transitions.ts";

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

  test("whatever the policy, the pauses and the jumps of the clock: the newest that are to stay, stay, and nothing else outlives its time", async () => {
    const hourMs = 3_600_000;
    const anyStep = fc.record({
      pauseMs: fc.oneof(
        fc.integer({ min: 0, max: 9 * hourMs }),
        fc.integer({ min: -90 * 24 * hourMs, max: 400 * 24 * hourMs }),
      ),
      end: fc.constantFrom("complete", "complete", "complete", "fail"),
    });
    await fc.assert(
      fc.asyncProperty(anyPolicy, fc.array(anyStep, { minLength: 3, maxLength: 25 }), async (backupPolicy, steps) => {
        const world = await createDomainWorld();
        const { metadata, clock } = world;
        const deploymentId = await world.instance("Instance0");
        await metadata.deployments.update(deploymentId, { backupPolicy });
        const transitions = createSnapshotTransitions(world);
        const expiry = createSnapshotExpiry(world);
        const completed: SnapshotRecord[] = [];
        for (const { pauseMs, end } of steps) {
          clock.setNowMs(clock.nowMs() + pauseMs);
          await transitions.correctPlans();
          const queued = await transitions.queueScheduled(deploymentId);
          if (queued !== undefined) {
            const job = await world.lease("takeSnapshot");
            await transitions.begin(job);
            if (end === "fail") await transitions.fail(job, "source unreachable");
            else {
              await transitions.complete(job, committedOf(queued.id), factsAt(clock.nowMs()), clock.nowMs());
              completed.push((await metadata.snapshots.find(deploymentId, queued.id)) as SnapshotRecord);
            }
          }
          while ((await expiry.removeExpired(2)) > 0);
          const { items } = await metadata.snapshots.page(deploymentId, everything);
          const kept = new Set(items.map(({ id }) => id));
          const newest = new Set(completed.slice(-backupPolicy.keepNewest).map(({ id }) => id));
          for (const id of newest) assert.ok(kept.has(id), "one of the newest is gone");
          for (const one of completed) {
            if (one.expiresAtMs > clock.nowMs() && !kept.has(one.id))
              assert.ok(gone.has(one.id), "gone before its time");
            if (!kept.has(one.id)) gone.add(one.id);
            else assert.ok(newest.has(one.id) || one.expiresAtMs > clock.nowMs(), "outlives its time");
          }
        }
        gone.clear();
        await metadata.close();
      }),
      { numRuns: 60 },
    );
  });
});

/** Ids of the run in hand that went when their time had come; the clock may be set back after it. */
const gone = new Set<string>();

const committedOf = (id: string) => ({
  manifestKey: `manifests/${id}`,
  storageSizeBytes: 1,
  addedSizeBytes: 1,
  collectionCount: 1,
  documentCount: 1,
  dataSizeBytes: 1,
});
const factsAt = (capturedAtMs: number) => ({ consistency: "exact", serverVersion: "8.0.0", capturedAtMs }) as const;
