import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createJobsWorld, type JobsWorld } from "../../test/support/jobs-world.ts";
import { snapshot } from "../../test/support/records.ts";
import { createDeploymentTransitions } from "../domain/deployments/deployment-transitions.ts";
import type { LeasedJob } from "../ports/metadata/job-records.ts";
import { recover } from "./recover.ts";
import { provision } from "./tasks/provision.ts";

const never = new AbortController().signal;
const request = { backingProviderName: "AWS", regionName: "US_EAST_1" };

describe("a start after a death", () => {
  test("frees the jobs of the dead process at once", async () => {
    const world = await createJobsWorld();
    await world.services.serverlessInstances.create(world.projectId, { name: "Instance0", ...request });
    const before = await world.lease("provision");
    await recover(world);
    const after: LeasedJob = await world.lease("provision");
    assert.equal(after.id, before.id);
    assert.equal(await world.metadata.jobs.holds(before), false, "the dead one's token is worth nothing any more");
  });

  test("serves every database by the generation of the metadata, on the port it had, and keeps a new port", async () => {
    const world = await createJobsWorld();
    const first = await world.instance("Instance0");
    const second = await world.instance("Instance1");
    await world.metadata.deployments.update(first, { generation: 4, port: 27_150 });
    await world.metadata.deployments.update(second, { port: undefined });
    await recover(world);
    assert.deepEqual(world.host.served.get(first)?.generation, 4);
    assert.equal(world.host.served.get(first)?.deployment.port, 27_150);
    assert.equal((await world.metadata.deployments.find(second))?.port, 27_100);
  });

  test("a database that does not start leaves the others served and says so", async () => {
    const world = await createJobsWorld();
    await world.instance("Instance0");
    const second = await world.instance("Instance1");
    let starts = 0;
    world.faults.at = (call) => {
      if (call === "start" && (starts += 1) === 1) throw new Error("No port is free.");
    };
    await recover(world);
    assert.deepEqual([...world.host.served.keys()], [second]);
    assert.ok(world.logged.some((line) => line.includes("could not be started") && line.includes("No port is free.")));
  });

  test("an instance whose making was given up is made again, one that has its job is left to it, one being deleted is not served", async () => {
    const world = await createJobsWorld();
    const deleted = await world.instance("Instance0");
    await world.services.serverlessInstances.delete(world.projectId, "Instance0");
    const givenUp = await created(world, "Instance1");
    await provision({ ...world, transitions: createDeploymentTransitions(world), jobs: world.metadata.jobs }).giveUp(
      await world.lease("provision"),
      "No port is free.",
    );
    const waiting = await created(world, "Instance2");
    await recover(world);
    assert.equal(world.host.served.has(deleted), false);
    const subjects = [(await world.lease("provision")).subjectId, (await world.lease("provision")).subjectId];
    assert.deepEqual(subjects.toSorted(), [givenUp, waiting].toSorted());
    assert.equal(await world.metadata.jobs.nextDueMs(["provision"]), undefined, "one job each");
  });

  test("a snapshot in progress that has its job keeps it; one without is failed with a reason", async () => {
    const world = await createJobsWorld();
    const deploymentId = await world.instance("Instance0");
    const [kept, abandoned] = [world.ids.objectId(), world.ids.objectId()];
    for (const id of [kept, abandoned])
      await world.metadata.snapshots.insert(
        snapshot(id, { deploymentId, status: "inProgress", manifestKey: undefined }),
      );
    await world.metadata.jobs.insert({
      id: world.ids.objectId(),
      kind: "takeSnapshot",
      subjectId: kept,
      exclusiveKey: deploymentId,
      runAtMs: 0,
    });
    await recover(world);
    assert.equal((await world.metadata.snapshots.find(deploymentId, kept))?.status, "inProgress");
    const failed = await world.metadata.snapshots.find(deploymentId, abandoned);
    assert.equal(failed?.status, "failed");
    assert.match(failed?.failureReason ?? "", /stopped/);
  });

  test("asks once for the garbage that dead snapshots left", async () => {
    const world = await createJobsWorld();
    await recover(world);
    await recover(world);
    await world.metadata.jobs.finish(await world.lease("collectGarbage"));
    assert.equal(await world.metadata.jobs.nextDueMs(["collectGarbage"]), undefined);
  });
});

describe("making an instance", () => {
  test("is IDLE on its port when its database listens, and CREATING until then", async () => {
    const world = await createJobsWorld();
    const id = await created(world, "Instance0");
    const task = provision({ ...world, transitions: createDeploymentTransitions(world), jobs: world.metadata.jobs });
    world.faults.at = () => {
      throw new Error("No port is free.");
    };
    await assert.rejects(task.run(await world.lease("provision"), never), /No port is free/);
    assert.equal((await world.metadata.deployments.find(id))?.state, "CREATING");
    world.faults.at = () => undefined;
    await world.metadata.jobs.releaseAll();
    await task.run(await world.lease("provision"), never);
    const { state, port } = (await world.metadata.deployments.find(id)) ?? {};
    assert.deepEqual([state, port], ["IDLE", 27_100]);
  });
});

async function created(world: JobsWorld, name: string): Promise<string> {
  return (await world.services.serverlessInstances.create(world.projectId, { name, ...request })).id;
}
