import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { createDomainWorld } from "../../../test/support/domain-world.ts";
import { createJobsWorld, describe, documentOf, type JobsWorld } from "../../../test/support/jobs-world.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import { recoverMetadata } from "../recover-metadata.ts";
import { catalogueSnapshots } from "./catalogueSnapshots.ts";
import { drill } from "./drill.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const never = new AbortController().signal;

/** An instance with a completed snapshot. */
async function worldWithSnapshot(): Promise<{ readonly world: JobsWorld; readonly id: string }> {
  const world = await createJobsWorld();
  await world.instance("Instance0");
  world.data.set("orders", { description: describe("orders"), documents: [documentOf(1, "one")] });
  const { id } = await world.services.snapshots.take(world.projectId, "Instance0", {});
  const task = takeSnapshot({ ...world, transitions: createSnapshotTransitions(world) });
  await task.run(await world.lease("takeSnapshot"), never);
  return { world, id };
}

/** What a metadata database that was lost comes back with. */
async function recoveredSnapshot(world: JobsWorld, id: string) {
  const lost = await createDomainWorld();
  await recoverMetadata({
    metadata: lost.metadata,
    repository: world.repository,
    generationOf: async () => 1,
    nextSnapshotAtMs: 1,
  });
  const [deployment] = await lost.metadata.deployments.all();
  const found = await lost.metadata.snapshots.find(deployment?.id ?? "", id);
  await lost.metadata.close();
  return found;
}

suite("telling the store what changed of a snapshot", () => {
  test("who loses the metadata gets holds and proofs back, and the state after the last change", async () => {
    const { world, id } = await worldWithSnapshot();
    const { services, projectId, metadata } = world;
    const tell = async () => catalogueSnapshots(world).run(await world.lease("catalogueSnapshots"), never);
    await services.snapshotCare.hold(projectId, "Instance0", id, { by: "abcdefgh", reason: "the audit" });
    assert.equal((await recoveredSnapshot(world, id))?.hold, undefined, "not told yet");
    await tell();
    const known = await services.snapshotCare.get(projectId, "Instance0", id);
    assert.deepEqual(await recoveredSnapshot(world, id), { ...known, sequence: 1 });
    assert.equal(known.hold?.reason, "the audit");
    await services.snapshotCare.drill(projectId, "Instance0", id);
    await drill(world).run(await world.lease("drill"), never);
    await services.snapshotCare.release(projectId, "Instance0", id);
    await tell();
    const recovered = await recoveredSnapshot(world, id);
    assert.deepEqual([recovered?.hold, recovered?.provenAtMs], [undefined, world.clock.nowMs()]);
    assert.deepEqual(await metadata.snapshots.catalogueDue(1), []);
    assert.equal(await metadata.jobs.unfinishedOf("catalogueSnapshots"), false);
  });

  test("a deployment's own policy comes back with it", async () => {
    const { world } = await worldWithSnapshot();
    const update = { preset: "FLEX", drillEveryDays: 2 } as const;
    const { policy } = await world.services.backupPolicies.update(world.projectId, "Instance0", update);
    await catalogueSnapshots(world).run(await world.lease("catalogueSnapshots"), never);
    const lost = await createDomainWorld();
    const { metadata } = lost;
    await recoverMetadata({ metadata, repository: world.repository, generationOf: async () => 1, nextSnapshotAtMs: 1 });
    assert.deepEqual((await metadata.deployments.all())[0]?.backupPolicy, policy);
    await metadata.close();
  });

  test("a change while it is told is told as well, before the job ends", async () => {
    const { world, id } = await worldWithSnapshot();
    const { services, projectId } = world;
    await services.snapshotCare.hold(projectId, "Instance0", id, { by: "abcdefgh", reason: "the audit" });
    let changed = false;
    const repository: JobsWorld["repository"] = {
      ...world.repository,
      catalogue: async (record) => {
        if (!changed) await services.snapshotCare.release(projectId, "Instance0", id);
        changed = true;
        await world.repository.catalogue(record);
      },
    };
    await catalogueSnapshots({ ...world, repository }).run(await world.lease("catalogueSnapshots"), never);
    assert.equal((await recoveredSnapshot(world, id))?.hold, undefined);
    assert.deepEqual(await world.metadata.snapshots.catalogueDue(1), []);
  });

  test("a store that cannot be written to is told later, however long that takes", async () => {
    const { world, id } = await worldWithSnapshot();
    await world.services.snapshotCare.hold(world.projectId, "Instance0", id, { by: "abcdefgh", reason: "the audit" });
    const catalogue = () => Promise.reject(new Error("the disk is full"));
    const task = catalogueSnapshots({ ...world, repository: { ...world.repository, catalogue } });
    const job = await world.lease("catalogueSnapshots");
    await assert.rejects(task.run(job, never), /disk is full/);
    await task.giveUp(job, "the disk is full");
    world.clock.advance(3_600_000);
    await catalogueSnapshots(world).run(await world.lease("catalogueSnapshots"), never);
    assert.equal((await recoveredSnapshot(world, id))?.hold?.reason, "the audit");
  });
});
