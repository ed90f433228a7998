import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { createJobsWorld, describe, documentOf, type JobsWorld } from "../../../test/support/jobs-world.ts";
import { deployment as record, idOf, snapshot } from "../../../test/support/records.ts";
import { policyOf } from "../../domain/backups/policy.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { createDrillRounds, requestDueDrill } from "../request-drills.ts";
import { requestScrub } from "../request-scrub.ts";
import { drill } from "./drill.ts";
import { scrub } from "./scrub.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const weekMs = 7 * 86_400_000;
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
  test("are due at once, then a week after the last proof", async () => {
    const { world, found } = await worldWithSnapshot();
    assert.equal(await requestDueDrill(world), (await found()).id);
    await drill(world).run(await world.lease("drill"), never);
    const { provenAtMs, drilledAtMs } = await found();
    assert.deepEqual([provenAtMs, drilledAtMs], [world.clock.nowMs(), world.clock.nowMs()]);
    world.clock.advance(weekMs - 1);
    assert.equal(await requestDueDrill(world), undefined);
    world.clock.advance(1);
    assert.equal(await requestDueDrill(world), (await found()).id);
  });

  test("take the deployment first that was proven least recently, and none whose policy wants none", async () => {
    const { world, found } = await worldWithSnapshot();
    const others = [await world.instance("Instance1"), await world.instance("Instance2")];
    for (const [index, deploymentId] of others.entries())
      await world.metadata.snapshots.insert(
        snapshot(idOf(index + 1), { deploymentId, provenAtMs: 9 - index, drilledAtMs: 9 }),
      );
    await world.metadata.snapshots.update((await found()).id, { provenAtMs: 10, drilledAtMs: 10 });
    const policy = policyOf(record());
    await world.metadata.deployments.update(others[1] ?? "", { backupPolicy: { ...policy, drillEveryDays: 0 } });
    assert.equal(await requestDueDrill(world), idOf(1));
    await world.metadata.deployments.update(others[1] ?? "", { backupPolicy: { ...policy, drillEveryDays: 1 } });
    assert.equal(await requestDueDrill(world), idOf(2));
  });

  test("one at a time, with nine times as long a rest as the last took, and a look every ten minutes when none is due", async () => {
    const { world, found } = await worldWithSnapshot();
    const rounds = createDrillRounds(world);
    const after = async (ms: number) => {
      world.clock.advance(ms);
      return rounds.next();
    };
    assert.equal(await after(599_999), undefined, "a start begins with other work");
    const { id } = await found();
    assert.equal(await after(1), id);
    assert.equal(await after(1000), undefined, "one is under way");
    await drill(world).run(await world.lease("drill"), never);
    assert.equal(await rounds.next(), undefined, "it took a second");
    await world.metadata.snapshots.update(id, { provenAtMs: 1, drilledAtMs: 1 });
    assert.equal(await after(8999), undefined);
    assert.equal(await after(1), id);
    await drill(world).run(await world.lease("drill"), never);
    assert.equal(await rounds.next(), undefined);
    await world.metadata.snapshots.update(id, { provenAtMs: 1, drilledAtMs: 1 });
    assert.equal(await after(599_999), undefined);
    assert.equal(await after(1), id);
  });

  test("leave nothing behind, and touch no database that is served", async () => {
    const { world } = await worldWithSnapshot();
    await requestDueDrill(world);
    const job = await world.lease("drill");
    await drill(world).run(job, never);
    assert.deepEqual(world.host.aborted, [`${job.id} 1`]);
    assert.deepEqual(world.host.removed, [job.id]);
  });

  test("that find other documents prove nothing, and say so", async () => {
    const { world, found } = await worldWithSnapshot();
    await requestDueDrill(world);
    world.host.spoil = (collections) => void collections.get("orders")?.documents.pop();
    await drill(world).run(await world.lease("drill"), never);
    const { provenAtMs, drilledAtMs, drillFailureReason } = await found();
    assert.deepEqual([provenAtMs, drilledAtMs], [undefined, world.clock.nowMs()]);
    assert.match(drillFailureReason ?? "", /documents of shop.orders are not those of the snapshot/);
    assert.equal(await requestDueDrill(world), undefined, "the next try is a day later");
    world.clock.advance(86_400_000);
    world.host.spoil = () => undefined;
    assert.equal(await requestDueDrill(world), (await found()).id);
    await drill(world).run(await world.lease("drill"), never);
    assert.deepEqual(
      [(await found()).provenAtMs, (await found()).drillFailureReason],
      [world.clock.nowMs(), undefined],
    );
    assert.ok(world.logged.some((line) => line.includes("could not be restored on trial")));
    assert.equal(await world.metadata.jobs.unfinishedOf("drill"), false);
  });

  test("of a snapshot that is gone end quietly", async () => {
    const { world, found } = await worldWithSnapshot();
    await requestDueDrill(world);
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
