import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import { MetadataConflict } from "../../src/ports/metadata/project-records.ts";
import { deployment, deploymentId, idOf, restoreJob, snapshot } from "../support/records.ts";

const otherDeploymentId = idOf(0xc1);

/** What a list of snapshots is: newest first, nothing more. */
interface Model {
  readonly newestFirst: string[];
}

export function snapshotPromises(metadata: () => Metadata): void {
  test("a snapshot comes back as it went in, with the next number of its deployment", async () => {
    const { snapshots, deployments } = metadata();
    await deployments.insert(deployment({ id: otherDeploymentId, name: "Other" }));
    assert.deepEqual(await snapshots.insert(snapshot(idOf(1))), { ...snapshot(idOf(1)), sequence: 1 });
    assert.equal((await snapshots.insert(snapshot(idOf(2)))).sequence, 2);
    assert.equal((await snapshots.insert(snapshot(idOf(3), { deploymentId: otherDeploymentId }))).sequence, 1);
    assert.deepEqual(await snapshots.find(deploymentId, idOf(1)), { ...snapshot(idOf(1)), sequence: 1 });
    assert.equal(await snapshots.find(otherDeploymentId, idOf(1)), undefined, "not through another deployment");
    await snapshots.delete(idOf(2));
    assert.equal((await snapshots.insert(snapshot(idOf(4)))).sequence, 3, "a number is never given twice");
  });

  test("an id that is taken is a conflict and leaves the count alone", async () => {
    await metadata().snapshots.insert(snapshot(idOf(1)));
    await assert.rejects(metadata().snapshots.insert(snapshot(idOf(1))), MetadataConflict);
    const page = await metadata().snapshots.page(deploymentId, { pageNumber: 1, itemsPerPage: 1, includeCount: true });
    assert.deepEqual([page.totalCount, page.hasNext], [1, false]);
  });

  test("an update changes what it names, and undefined empties", async () => {
    const { snapshots } = metadata();
    const before = await snapshots.insert(snapshot(idOf(1), { description: "old" }));
    await snapshots.update(idOf(1), {});
    assert.deepEqual(await snapshots.find(deploymentId, idOf(1)), before);
    const changes = {
      status: "failed",
      failureReason: "disk full",
      manifestKey: undefined,
      clusterTime: undefined,
    } as const;
    await snapshots.update(idOf(1), changes);
    assert.deepEqual(await snapshots.find(deploymentId, idOf(1)), { ...before, ...changes });
  });

  test("every page of every size is what a plain list says, after any inserts and deletions", async () => {
    let nextId = 1;
    const insert = fc.record({ kind: fc.constant("insert" as const), count: fc.integer({ min: 1, max: 90 }) });
    const removal = fc.record({
      kind: fc.constant("delete" as const),
      at: fc.nat(),
      count: fc.integer({ min: 1, max: 40 }),
    });
    const look = fc.record({
      kind: fc.constant("page" as const),
      pageNumber: fc.integer({ min: 1, max: 60 }),
      itemsPerPage: fc.constantFrom(1, 2, 7, 16, 64, 100),
    });
    const steps = fc.array(fc.oneof(insert, removal, look), { minLength: 5, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const { snapshots, deployments } = metadata();
        const id = idOf(0xf0_00_00 + nextId);
        await deployments.insert(deployment({ id, name: `P${nextId}` }));
        const model: Model = { newestFirst: [] };
        for (const step of plan) {
          if (step.kind === "insert") {
            const ids = Array.from({ length: step.count }, () => idOf(nextId++));
            await snapshots.insertMany(ids.map((one) => snapshot(one, { deploymentId: id })));
            model.newestFirst.unshift(...ids.toReversed());
          } else if (step.kind === "delete") {
            const at = model.newestFirst.length === 0 ? 0 : step.at % model.newestFirst.length;
            for (const one of model.newestFirst.splice(at, step.count)) await snapshots.delete(one);
          } else {
            const page = await snapshots.page(id, { ...step, includeCount: true });
            const from = (step.pageNumber - 1) * step.itemsPerPage;
            assert.deepEqual(
              [page.items.map((item) => item.id), page.totalCount, page.hasNext],
              [
                model.newestFirst.slice(from, from + step.itemsPerPage),
                model.newestFirst.length,
                model.newestFirst.length > from + step.itemsPerPage,
              ],
            );
          }
        }
        nextId += 1;
      }),
      { numRuns: 25 },
    );
  });

  test("a page that is not counted says so with 0 and still knows whether another follows", async () => {
    await metadata().snapshots.insertMany([1, 2, 3].map((number) => snapshot(idOf(number))));
    const page = await metadata().snapshots.page(deploymentId, { pageNumber: 1, itemsPerPage: 2, includeCount: false });
    assert.deepEqual([page.items.map((item) => item.id), page.totalCount, page.hasNext], [[idOf(3), idOf(2)], 0, true]);
  });

  test("the newest completed one, by order of arrival and not by date", async () => {
    const { snapshots } = metadata();
    assert.equal(await snapshots.newestCompleted(deploymentId), undefined);
    await snapshots.insert(snapshot(idOf(1), { createdAtMs: 900 }));
    await snapshots.insert(snapshot(idOf(2), { createdAtMs: 100 }));
    await snapshots.insert(snapshot(idOf(3), { status: "failed" }));
    await snapshots.insert(snapshot(idOf(4), { status: "inProgress" }));
    assert.equal((await snapshots.newestCompleted(deploymentId))?.id, idOf(2));
    assert.deepEqual(await snapshots.idsInProgress(), new Set([idOf(4)]));
    assert.deepEqual(await snapshots.liveManifestKeys(), new Set([`manifests/${idOf(1)}`, `manifests/${idOf(2)}`]));
  });

  test("unfinished ones are known by their type", async () => {
    const { snapshots } = metadata();
    const unfinished = async () => [
      await snapshots.hasUnfinishedOnDemand(deploymentId),
      await snapshots.hasUnfinishedScheduled(deploymentId),
    ];
    await snapshots.insert(snapshot(idOf(1), { snapshotType: "onDemand", frequencyType: "ondemand" }));
    assert.deepEqual(await unfinished(), [false, false]);
    await snapshots.update(idOf(1), { status: "queued" });
    assert.deepEqual(await unfinished(), [true, false]);
    await snapshots.insert(snapshot(idOf(2), { status: "inProgress" }));
    assert.deepEqual(await unfinished(), [true, true]);
  });

  test("completed scheduled ones are walked through in order, a few at a time", async () => {
    const { snapshots } = metadata();
    await snapshots.insert(snapshot(idOf(1)));
    await snapshots.insert(snapshot(idOf(2), { status: "failed" }));
    await snapshots.insert(snapshot(idOf(3), { snapshotType: "onDemand", frequencyType: "ondemand" }));
    await snapshots.insert(snapshot(idOf(4), { frequencyType: "yearly", policyItemIds: [idOf(7), idOf(8)] }));
    await snapshots.insert(snapshot(idOf(5)));
    const after = async (sequence: number, limit: number) =>
      (await snapshots.scheduledAfter(deploymentId, sequence, limit)).map((one) => one.id);
    assert.deepEqual(await after(0, 2), [idOf(1), idOf(4)]);
    assert.deepEqual(await after(4, 2), [idOf(5)]);
    assert.deepEqual((await snapshots.find(deploymentId, idOf(4)))?.policyItemIds, [idOf(7), idOf(8)]);
  });

  test("expired are ended snapshots at or past their time that no unfinished restore needs", async () => {
    const { snapshots, restoreJobs } = metadata();
    await snapshots.insert(snapshot(idOf(1), { expiresAtMs: 1000 }));
    await snapshots.insert(snapshot(idOf(2), { expiresAtMs: 999, status: "failed" }));
    await snapshots.insert(snapshot(idOf(3), { expiresAtMs: 1001 }));
    await snapshots.insert(snapshot(idOf(4), { expiresAtMs: 10, status: "inProgress" }));
    await snapshots.insert(snapshot(idOf(5), { expiresAtMs: 10, status: "queued" }));
    await snapshots.insert(snapshot(idOf(7), { expiresAtMs: 2000 }));
    const expired = async (limit: number) => (await snapshots.expired(1000, limit)).map((one) => one.id);
    assert.deepEqual(await expired(10), [idOf(2), idOf(1)]);
    assert.deepEqual(await expired(1), [idOf(2)]);
    await restoreJobs.insert(restoreJob(idOf(6), { snapshotId: idOf(1) }));
    assert.deepEqual(await expired(10), [idOf(2)]);
    await restoreJobs.update(idOf(6), { finishedAtMs: 5 });
    assert.deepEqual(await expired(10), [idOf(2), idOf(1)]);
  });

  test("the newest completed ones stay past their time: so many as each says, and those that failed their trial count for nothing", async () => {
    const { snapshots } = metadata();
    const expired = async () => (await snapshots.expired(1000, 10)).map((one) => one.id).toSorted();
    const past = { expiresAtMs: 10 };
    await snapshots.insert(snapshot(idOf(1), past));
    assert.deepEqual(await expired(), [], "the only one");
    await snapshots.insert(snapshot(idOf(2), { ...past, status: "failed" }));
    await snapshots.insert(snapshot(idOf(3), { status: "inProgress" }));
    assert.deepEqual(await expired(), [idOf(2)], "neither a failed one nor one under way takes its place");
    await snapshots.update(idOf(3), { status: "completed", expiresAtMs: 10, drillFailureReason: "does not restore" });
    assert.deepEqual(await expired(), [idOf(2)], "one that is known not to restore takes nobody's place");
    await snapshots.update(idOf(3), { drillFailureReason: undefined });
    assert.deepEqual(await expired(), [idOf(1), idOf(2)]);
    await snapshots.update(idOf(1), { newestKept: 2 });
    assert.deepEqual(await expired(), [idOf(2)]);
    await snapshots.insert(snapshot(idOf(4), past));
    assert.deepEqual(await expired(), [idOf(1), idOf(2), idOf(3)]);
  });

  test("restore jobs: whole records, newest first, one unfinished for a target", async () => {
    const { restoreJobs } = metadata();
    await restoreJobs.insert(restoreJob(idOf(1)));
    assert.deepEqual(await restoreJobs.find(deploymentId, idOf(1)), restoreJob(idOf(1)));
    assert.equal(await restoreJobs.find(otherDeploymentId, idOf(1)), undefined);
    assert.equal((await restoreJobs.findUnfinishedFor(deploymentId))?.id, idOf(1));
    assert.equal(await restoreJobs.unfinishedNeeds(idOf(1)), true);
    assert.equal(await restoreJobs.unfinishedNeeds(idOf(2)), false);
    await assert.rejects(restoreJobs.insert(restoreJob(idOf(2))), MetadataConflict);
    const end = { finishedAtMs: 1_767_225_800_000, failed: true, failureReason: "broken" };
    await restoreJobs.update(idOf(1), end);
    assert.deepEqual(await restoreJobs.find(deploymentId, idOf(1)), restoreJob(idOf(1), end));
    assert.equal(await restoreJobs.findUnfinishedFor(deploymentId), undefined);
    assert.equal(await restoreJobs.unfinishedNeeds(idOf(1)), false);
    await restoreJobs.insert(restoreJob(idOf(2), { requestedAtMs: 1 }));
    const page = await restoreJobs.page(deploymentId, { pageNumber: 1, itemsPerPage: 1, includeCount: true });
    assert.deepEqual([page.items.map((one) => one.id), page.totalCount, page.hasNext], [[idOf(2)], 2, true]);
  });
}
