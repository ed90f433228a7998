import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { everything } from "../../test/support/domain-world.ts";
import { createJobsWorld, type JobsWorld } from "../../test/support/jobs-world.ts";
import { snapshot } from "../../test/support/records.ts";
import { createSnapshotExpiry } from "../domain/backups/expiry.ts";
import { createSnapshotTransitions } from "../domain/backups/snapshot-transitions.ts";
import { batch, createScheduler, type Scheduler } from "./scheduler.ts";

const snapshotIntervalMs = 6 * 3_600_000;

function schedulerOf(world: JobsWorld): Scheduler {
  return createScheduler({
    ...world,
    transitions: createSnapshotTransitions(world),
    expiry: createSnapshotExpiry(world),
  });
}

async function snapshotsOf(world: JobsWorld, deploymentId: string): Promise<readonly string[]> {
  return (await world.metadata.snapshots.page(deploymentId, everything)).items.map(
    ({ snapshotType, status }) => `${snapshotType} ${status}`,
  );
}

describe("the scheduler", () => {
  test("queues nothing a millisecond before the time and one snapshot with its job at it", async () => {
    const world = await createJobsWorld();
    const id = await world.instance("Instance0");
    const scheduler = schedulerOf(world);
    world.clock.advance(snapshotIntervalMs - 1);
    await scheduler.tick();
    assert.deepEqual(await snapshotsOf(world, id), []);
    world.clock.advance(1);
    await scheduler.tick();
    await scheduler.tick();
    assert.deepEqual(await snapshotsOf(world, id), ["scheduled queued"]);
    assert.equal((await world.lease("takeSnapshot")).exclusiveKey, id);
  });

  test("a pause over many times makes one snapshot, and the next time lies ahead", async () => {
    const world = await createJobsWorld();
    const id = await world.instance("Instance0");
    world.clock.advance(snapshotIntervalMs * 100.5);
    await schedulerOf(world).tick();
    assert.deepEqual(await snapshotsOf(world, id), ["scheduled queued"]);
    const next = (await world.metadata.deployments.find(id))?.nextSnapshotAtMs ?? 0;
    assert.equal(next - world.clock.nowMs(), snapshotIntervalMs / 2);
  });

  test("removes every expired snapshot in one round, however many, and asks once for the garbage to be collected", async () => {
    const world = await createJobsWorld();
    const deploymentId = await world.instance("Instance0");
    const expired = Array.from({ length: batch * 2 + 1 }, () =>
      snapshot(world.ids.objectId(), { deploymentId, expiresAtMs: world.clock.nowMs() - 1 }),
    );
    await world.metadata.snapshots.insertMany([
      ...expired,
      snapshot(world.ids.objectId(), { deploymentId, expiresAtMs: world.clock.nowMs() + 1 }),
    ]);
    await schedulerOf(world).tick();
    assert.equal((await snapshotsOf(world, deploymentId)).length, 1);
    await world.metadata.jobs.finish(await world.lease("collectGarbage"));
    assert.equal(await world.metadata.jobs.nextDueMs(["collectGarbage"]), undefined, "one job for all of them");
    await schedulerOf(world).tick();
    assert.equal(await world.metadata.jobs.nextDueMs(["collectGarbage"]), undefined, "none when nothing expired");
  });

  test("expired tokens and database users go, and what fails does not keep the rest from being done", async () => {
    const world = await createJobsWorld();
    const called: string[] = [];
    const scheduler = createScheduler({
      ...world,
      metadata: {
        ...world.metadata,
        access: { ...world.metadata.access, deleteExpiredTokens: async () => called.push("tokens") },
        databaseUsers: { ...world.metadata.databaseUsers, deleteExpired: async () => called.push("users") },
      },
      transitions: {
        ...createSnapshotTransitions(world),
        correctPlans: () => Promise.reject(new Error("plans are out of order")),
      },
      expiry: { removeExpired: () => Promise.reject(new Error("expiry is out of order")) },
    });
    await scheduler.tick();
    assert.deepEqual(called, ["tokens", "users"]);
    assert.equal(world.logged.filter((line) => line.includes("failed")).length, 2);
  });

  test("stops between two rounds", async () => {
    const world = await createJobsWorld();
    const scheduler = schedulerOf(world);
    scheduler.start();
    await scheduler.stop();
    assert.equal(world.clock.sleeping(), 0);
  });
});
