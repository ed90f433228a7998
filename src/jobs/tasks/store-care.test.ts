import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { createJobsWorld, describe, documentOf, type JobsWorld } from "../../../test/support/jobs-world.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { drillIntervalMs, requestDrill } from "../request-drills.ts";
import { requestScrub } from "../request-scrub.ts";
import { drill } from "./drill.ts";
import { scrub } from "./scrub.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const never = new AbortController().signal;

/** An instance with a completed snapshot. */
async function worldWithSnapshot(): Promise<{ readonly world: JobsWorld; found(): Promise<SnapshotRecord> }> {
  const world = await createJobsWorld();
  await world.instance("Instance0");
  const documents = Array.from({ length: 300 }, (_, index) => documentOf(index, "text ".repeat(50)));
  world.data.set("orders", { description: describe("orders"), documents });
  const { id } = await world.services.snapshots.take(world.projectId, "Instance0", {});
  await takeSnapshot({ ...world, transitions: createSnapshotTransitions(world) }).run(
    await world.lease("takeSnapshot"),
    never,
  );
  return { world, found: () => world.services.snapshots.get(world.projectId, "Instance0", id) };
}

suite("restore drills", () => {
  test("are due a day after completion, then a week after the last proof, one at a time", async () => {
    const { world, found } = await worldWithSnapshot();
    assert.equal(await requestDrill(world), undefined);
    world.clock.advance(drillIntervalMs / 7 - 1);
    assert.equal(await requestDrill(world), undefined);
    world.clock.advance(1);
    assert.equal(await requestDrill(world), (await found()).id);
    assert.equal(await requestDrill(world), undefined, "one is under way");
    await drill(world).run(await world.lease("drill"), never);
    assert.equal((await found()).provenAtMs, world.clock.nowMs());
    world.clock.advance(drillIntervalMs - 1);
    assert.equal(await requestDrill(world), undefined);
    world.clock.advance(1);
    assert.equal(await requestDrill(world), (await found()).id);
  });

  test("leave nothing behind, and touch no database that is served", async () => {
    const { world } = await worldWithSnapshot();
    world.clock.advance(drillIntervalMs);
    await requestDrill(world);
    const job = await world.lease("drill");
    await drill(world).run(job, never);
    assert.deepEqual(world.host.aborted, [`${job.id} 1`]);
    assert.deepEqual(world.host.removed, [job.id]);
  });

  test("that find other documents prove nothing, and say so", async () => {
    const { world, found } = await worldWithSnapshot();
    world.clock.advance(drillIntervalMs);
    await requestDrill(world);
    world.host.spoil = (collections) => void collections.get("orders")?.documents.pop();
    await drill(world).run(await world.lease("drill"), never);
    assert.equal((await found()).provenAtMs, undefined);
    assert.ok(world.logged.some((line) => line.includes("could not be restored on trial")));
    assert.equal(await world.metadata.jobs.unfinishedOf("drill"), false);
  });

  test("of a snapshot that is gone end quietly", async () => {
    const { world, found } = await worldWithSnapshot();
    world.clock.advance(drillIntervalMs);
    await requestDrill(world);
    await world.metadata.snapshots.delete((await found()).id);
    await drill(world).run(await world.lease("drill"), never);
    assert.equal(await world.metadata.jobs.unfinishedOf("drill"), false);
  });
});

suite("scrubbing", () => {
  test("checks every object of a small store, remembers when, and comes back tomorrow", async () => {
    const { world } = await worldWithSnapshot();
    await requestScrub(world, world.clock.nowMs());
    await requestScrub(world, world.clock.nowMs());
    await scrub(world).run(await world.lease("scrub"), never);
    const checks = await world.metadata.objectChecks.leastRecent(100);
    const stored = await Array.fromAsync(world.repository.objects());
    assert.deepEqual(checks.map(({ objectKey }) => objectKey).toSorted(), stored.map(({ key }) => key).toSorted());
    assert.ok(checks.every(({ checkedAtMs }) => checkedAtMs === world.clock.nowMs()));
    assert.equal(await world.metadata.jobs.nextDueMs(["scrub"]), world.clock.nowMs() + 86_400_000);
  });

  test("tells damage with the snapshots it hurts", async () => {
    const { world, found } = await worldWithSnapshot();
    await requestScrub(world, world.clock.nowMs());
    const { id } = await found();
    const damaged: JobsWorld["repository"] = {
      ...world.repository,
      verify: async (request) => {
        const report = await world.repository.verify(request);
        const damage = { objectKey: "packs/x", reason: "it is spoilt", lostSnapshotIds: [id], ranges: [] };
        return { ...report, damages: [{ ...damage, rangesLeftOut: 0 }] };
      },
    };
    await scrub({ ...world, repository: damaged }).run(await world.lease("scrub"), never);
    assert.ok(world.logged.some((line) => line.includes("it is spoilt") && line.includes(id)));
  });
});
