import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDomainWorld, everything, type DomainWorld } from "../../../test/support/domain-world.ts";
import { deployment, idOf, snapshot } from "../../../test/support/records.ts";
import { presetPolicy } from "./policy.ts";
import { createSnapshotTransitions } from "./snapshot-transitions.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const committed = {
  manifestKey: "manifests/new",
  storageSizeBytes: 500,
  addedSizeBytes: 50,
  collectionCount: 1,
  documentCount: 2,
  dataSizeBytes: 900,
};
const facts = {
  consistency: "exact",
  clusterTime: { seconds: 5, increment: 6 },
  serverVersion: "7.0.12",
  capturedAtMs: 1_767_000_000_000,
} as const;

const listed = async ({ services, projectId }: DomainWorld) =>
  (await services.snapshots.list(projectId, "Instance0", everything)).items;

describe("a snapshot's way", () => {
  test("queued, in progress, completed: what was committed stands in the record and it expires from its completion", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    await world.metadata.snapshots.insert(snapshot(idOf(1), { deploymentId }));
    const transitions = createSnapshotTransitions(world);
    const { id } = await world.services.snapshots.take(world.projectId, "Instance0", { retentionInDays: 2 });
    const job = await world.lease("takeSnapshot");
    const inHand = await transitions.begin(job);
    assert.deepEqual(
      [inHand?.snapshot.id, inHand?.snapshot.status, inHand?.deployment.id, inHand?.parentManifestKey],
      [id, "inProgress", deploymentId, `manifests/${idOf(1)}`],
    );
    assert.equal((await listed(world))[0]?.status, "inProgress");
    world.clock.advance(5000);
    assert.equal(await transitions.complete(job, committed, facts, world.clock.nowMs()), true);
    const [record] = await listed(world);
    const nowMs = world.clock.nowMs();
    assert.deepEqual(
      [record?.status, record?.createdAtMs, record?.completedAtMs, record?.expiresAtMs],
      ["completed", facts.capturedAtMs, nowMs, nowMs + 2 * dayMs],
    );
    assert.deepEqual(
      [record?.manifestKey, record?.storageSizeBytes, record?.addedSizeBytes, record?.serverVersion],
      ["manifests/new", 500, 50, "7.0.12"],
    );
    assert.deepEqual([record?.consistency, record?.clusterTime], ["exact", facts.clusterTime]);
    assert.equal(await world.metadata.jobs.unfinishedFor(id), false);
  });

  test("a failure is kept with its reason and ends the job", async () => {
    const world = await createDomainWorld();
    await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    const { id } = await world.services.snapshots.take(world.projectId, "Instance0", {});
    const job = await world.lease("takeSnapshot");
    await transitions.begin(job);
    assert.equal(await transitions.fail(job, "The disk is full."), true);
    const [record] = await listed(world);
    assert.deepEqual(
      [record?.status, record?.failureReason, record?.manifestKey],
      ["failed", "The disk is full.", undefined],
    );
    assert.equal(await world.metadata.jobs.unfinishedFor(id), false);
    assert.equal(
      await transitions.complete(job, committed, facts, world.clock.nowMs()),
      false,
      "a failed one is never completed",
    );
    assert.equal((await listed(world))[0]?.status, "failed");
  });

  test("who has lost the lease completes and fails nothing; who took over begins again and completes", async () => {
    const world = await createDomainWorld();
    await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    await world.services.snapshots.take(world.projectId, "Instance0", {});
    const lost = await world.lease("takeSnapshot", 100);
    await transitions.begin(lost);
    world.clock.advance(100);
    const taken = await world.lease("takeSnapshot");
    assert.equal(await transitions.begin(lost), undefined);
    assert.equal(await transitions.complete(lost, committed, facts, world.clock.nowMs()), false);
    assert.equal(await transitions.fail(lost, "late"), false);
    assert.equal((await listed(world))[0]?.status, "inProgress");
    assert.notEqual(await transitions.begin(taken), undefined);
    assert.equal(await transitions.complete(taken, committed, facts, world.clock.nowMs()), true);
  });

  test("a snapshot of an instance that is being deleted fails instead of being taken", async () => {
    const world = await createDomainWorld();
    await world.instance("Instance0");
    await world.services.snapshots.take(world.projectId, "Instance0", {});
    await world.services.serverlessInstances.delete(world.projectId, "Instance0");
    const job = await world.lease("takeSnapshot");
    assert.equal(await createSnapshotTransitions(world).begin(job), undefined);
    assert.equal((await listed(world))[0]?.status, "failed");
    assert.equal(await world.metadata.jobs.holds(job), false);
    await world.lease("deprovision");
  });
});

describe("scheduled snapshots", () => {
  test("over two days: every 6 hours, the one at the time of the creation daily and kept longer", async () => {
    const world = await createDomainWorld();
    world.clock.advance(2 * hourMs);
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    for (let hour = 0; hour <= 48; hour += 1) {
      const [due] = await world.metadata.deployments.dueForSnapshot(world.clock.nowMs(), 10);
      const queued = due === undefined ? undefined : await transitions.queueScheduled(due.id);
      if (queued !== undefined) {
        const job = await world.lease("takeSnapshot");
        await transitions.begin(job);
        await transitions.complete(job, committed, facts, world.clock.nowMs());
      }
      world.clock.advance(hourMs);
    }
    const taken = (await listed(world)).toReversed();
    assert.deepEqual(
      taken.map((one) => [
        new Date(one.requestedAtMs).toISOString().slice(8, 13),
        one.frequencyType,
        one.retentionMs / hourMs,
      ]),
      [
        ["01T08", "hourly", 72],
        ["01T14", "hourly", 72],
        ["01T20", "hourly", 72],
        ["02T02", "daily", 840],
        ["02T08", "hourly", 72],
        ["02T14", "hourly", 72],
        ["02T20", "hourly", 72],
        ["03T02", "daily", 840],
      ],
    );
    assert.equal(await transitions.queueScheduled(deploymentId), undefined, "nothing is due now");
  });

  test("when the daily one failed, the next takes its place, and is as long kept", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    world.clock.advance(24 * hourMs);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "daily");
    await transitions.fail(await world.lease("takeSnapshot"), "source unreachable");
    world.clock.advance(6 * hourMs);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "daily");
    const job = await world.lease("takeSnapshot");
    await transitions.begin(job);
    await transitions.complete(job, committed, facts, world.clock.nowMs());
    world.clock.advance(6 * hourMs);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "hourly", "nothing is owed any more");
  });

  test("what came due while one waited is taken with the next", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    world.clock.advance(18 * hourMs);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "hourly");
    world.clock.advance(6 * hourMs);
    assert.equal(await transitions.queueScheduled(deploymentId), undefined, "the daily one: another still waits");
    const job = await world.lease("takeSnapshot");
    await transitions.begin(job);
    await transitions.complete(job, committed, facts, world.clock.nowMs());
    world.clock.advance(6 * hourMs);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "daily");
  });

  test("a failure of a rare one is tried again within hours, not at its next slot", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    const policy = presetPolicy("DEDICATED", deployment({ id: deploymentId, createdAtMs: world.clock.nowMs() }));
    const backupPolicy = { ...policy, items: policy.items.slice(3, 4) };
    const lastOfMonth = Date.UTC(2026, 0, 31);
    await world.metadata.deployments.update(deploymentId, { backupPolicy, nextSnapshotAtMs: lastOfMonth });
    world.clock.setNowMs(lastOfMonth);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "monthly");
    await transitions.fail(await world.lease("takeSnapshot"), "source unreachable");
    const planned = (await world.metadata.deployments.find(deploymentId))?.nextSnapshotAtMs ?? 0;
    assert.equal(planned, lastOfMonth + 6 * hourMs);
    world.clock.setNowMs(planned);
    assert.equal((await transitions.queueScheduled(deploymentId))?.frequencyType, "monthly");
  });

  test("a pause of days gives one snapshot, and while one waits no second is queued", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    world.clock.advance(10 * dayMs);
    assert.notEqual(await transitions.queueScheduled(deploymentId), undefined);
    assert.equal(await transitions.queueScheduled(deploymentId), undefined);
    world.clock.advance(6 * hourMs);
    assert.equal(await transitions.queueScheduled(deploymentId), undefined);
    assert.equal((await listed(world)).length, 1);
    const planned = (await world.metadata.deployments.find(deploymentId))?.nextSnapshotAtMs ?? 0;
    assert.ok(planned > world.clock.nowMs(), "the plan moved on all the same");
  });

  test("without continuous backup a scheduled one is kept 12 hours, and while it is among the two newest", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    await world.metadata.deployments.update(deploymentId, { continuousBackupEnabled: false });
    world.clock.advance(6 * hourMs);
    const queued = await createSnapshotTransitions(world).queueScheduled(deploymentId);
    assert.deepEqual([queued?.retentionMs, queued?.newestKept], [12 * hourMs, 2]);
  });

  test("an instance that is not idle, not due or not there gets none", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    assert.equal(await transitions.queueScheduled(deploymentId), undefined);
    world.clock.advance(6 * hourMs);
    await world.metadata.deployments.update(deploymentId, { state: "DELETING" });
    assert.equal(await transitions.queueScheduled(deploymentId), undefined);
    assert.equal(await transitions.queueScheduled(idOf(1)), undefined);
    assert.deepEqual(await listed(world), []);
  });

  test("after the clock was set back a plan is at most 6 hours away again", async () => {
    const world = await createDomainWorld();
    const deploymentId = await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    world.clock.advance(30 * dayMs);
    await transitions.queueScheduled(deploymentId);
    assert.equal(await transitions.correctPlans(), 0);
    world.clock.setNowMs(world.clock.nowMs() - 20 * dayMs);
    assert.equal(await transitions.correctPlans(), 1);
    const planned = (await world.metadata.deployments.find(deploymentId))?.nextSnapshotAtMs ?? 0;
    assert.ok(planned > world.clock.nowMs() && planned <= world.clock.nowMs() + 6 * hourMs);
    assert.equal(await transitions.correctPlans(), 0);
  });
});
