import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import {
  createJobsWorld,
  describe,
  documentOf,
  type JobsWorld,
  type RememberingHost,
} from "../../../test/support/jobs-world.ts";
import { createRestoreTransitions } from "../../domain/backups/restore-transitions.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import { SnapshotDamaged } from "../../ports/snapshot-repository.ts";
import type { Task } from "../define-task.ts";
import { restore } from "./restore.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const never = new AbortController().signal;
const index = (direction: number): Uint8Array => Uint8Array.of(9, 0, 0, 0, 0x10, 0x78, 0, direction, 0);

interface RestoreWorld extends JobsWorld {
  readonly targetId: string;
  readonly restoreId: string;
  readonly task: Task;
  job(): Promise<RestoreJobRecord>;
  generation(): Promise<number | undefined>;
}

/** A completed snapshot of Instance0 with two collections, and a restore of it to Target that waits to be done. */
async function createRestoreWorld(): Promise<RestoreWorld> {
  const world = await createJobsWorld();
  const sourceId = await world.instance("Instance0");
  const targetId = await world.instance("Target");
  world.data.set("orders", {
    description: describe("orders", { indexes: [index(1), index(2)] }),
    documents: Array.from({ length: 20 }, (_, id) => documentOf(id, "order")),
  });
  world.data.set("empty", { description: describe("empty"), documents: [] });
  await world.host.start({ id: targetId, projectId: world.projectId, name: "Target", generation: 1 });
  const { id } = await world.services.snapshots.take(world.projectId, "Instance0", {
    description: "x",
    retentionInDays: 1,
  });
  await takeSnapshot({ ...world, transitions: createSnapshotTransitions(world) }).run(
    await world.lease("takeSnapshot"),
    never,
  );
  const request = {
    deliveryType: "automated",
    snapshotId: id,
    targetProjectId: world.projectId,
    targetName: "Target",
  } as const;
  const { id: restoreId } = await world.services.restoreJobs.create(
    world.projectId,
    "Instance0",
    request,
    async () => true,
  );
  return {
    ...world,
    targetId,
    restoreId,
    task: restore({ ...world, transitions: createRestoreTransitions(world) }),
    job: async () => (await world.metadata.restoreJobs.find(sourceId, restoreId)) as RestoreJobRecord,
    generation: async () => (await world.metadata.deployments.find(targetId))?.generation,
  };
}

async function assertUntouched(world: RestoreWorld): Promise<void> {
  assert.equal(await world.generation(), 1, "the metadata say what they said");
  assert.equal(world.host.served.get(world.targetId)?.generation, 1, "the host serves what it served");
}

suite("restoring a snapshot", () => {
  test("the target gets collections, options, indexes and documents as they were, then the restore is finished", async () => {
    const world = await createRestoreWorld();
    await world.task.run(await world.lease("restore"), never);
    const served = world.host.served.get(world.targetId);
    assert.equal(served?.generation, 2);
    assert.equal(await world.generation(), 2);
    const orders = served?.collections.get("orders");
    assert.ok(Buffer.concat(orders?.documents ?? []).equals(Buffer.concat(world.data.get("orders")?.documents ?? [])));
    assert.deepEqual(
      orders?.description.indexes.map((bytes) => Buffer.from(bytes)),
      [index(1), index(2)].map((bytes) => Buffer.from(bytes)),
    );
    assert.ok(served?.collections.has("empty"), "an empty collection is a collection");
    const { finishedAtMs, failed } = await world.job();
    assert.deepEqual([finishedAtMs, failed], [world.clock.nowMs(), false]);
    assert.deepEqual(world.host.aborted, []);
  });

  for (const call of [
    "openStaging",
    "createCollection",
    "insertDocuments",
    "createIndexes",
    "collections",
    "documents",
    "finish",
  ]) {
    test(`a failure of ${call} leaves the target as it was, and the next attempt restores it`, async () => {
      const world = await createRestoreWorld();
      world.faults.at = (at) => {
        if (at === call) throw new Error("the disk was pulled out");
      };
      await assert.rejects(world.task.run(await world.lease("restore"), never), /pulled out/);
      await assertUntouched(world);
      assert.equal((await world.job()).finishedAtMs, undefined);
      assert.equal(world.host.aborted.length, call === "openStaging" ? 0 : 1, "what was staged is thrown away");
      world.faults.at = () => undefined;
      await world.metadata.jobs.releaseAll();
      await world.task.run(await world.lease("restore"), never);
      assert.equal(world.host.served.get(world.targetId)?.generation, 2);
    });
  }

  const spoilings: readonly (readonly [string, RememberingHost["spoil"], RegExp])[] = [
    ["a missing collection", (staged) => staged.delete("empty"), /1 collections where the snapshot has 2/],
    [
      "another collection in its place",
      (staged) => void (staged.set("other", staged.get("empty") as never), staged.delete("empty"), rename(staged)),
      /shop\.empty is missing/,
    ],
    ["other options", (staged) => change(staged, { options: Uint8Array.of(5, 0, 0, 1, 0) }), /options of shop\.orders/],
    ["a missing index", (staged) => change(staged, { indexes: [index(1)] }), /indexes of shop\.orders/],
    [
      "an index that runs the other way",
      (staged) => change(staged, { indexes: [index(1), index(3)] }),
      /indexes of shop\.orders/,
    ],
    [
      "a missing document",
      (staged) => void staged.get("orders")?.documents.splice(0, 1, documentOf(5, "order")),
      /documents of shop\.orders/,
    ],
    [
      "a changed document",
      (staged) => void staged.get("orders")?.documents.splice(-1, 1, documentOf(99, "other")),
      /documents of shop\.orders/,
    ],
  ];
  for (const [what, spoil, reason] of spoilings) {
    test(`${what} is found before anybody sees it: failed with the reason, the target untouched`, async () => {
      const world = await createRestoreWorld();
      world.host.spoil = spoil;
      await world.task.run(await world.lease("restore"), never);
      await assertUntouched(world);
      const { failed, failureReason, finishedAtMs } = await world.job();
      assert.deepEqual([failed, finishedAtMs], [true, world.clock.nowMs()]);
      assert.match(failureReason ?? "", reason);
      assert.equal(world.host.aborted.length, 1);
    });
  }

  test("a damaged snapshot and what the target refuses fail at once, with the reason", async () => {
    const world = await createRestoreWorld();
    const repository = {
      ...world.repository,
      open: () => Promise.reject(new SnapshotDamaged("packs/1", "packs/1 is missing")),
    };
    await restore({ ...world, repository, transitions: createRestoreTransitions(world) }).run(
      await world.lease("restore"),
      never,
    );
    assert.equal((await world.job()).failureReason, "packs/1 is missing");

    const other = await createRestoreWorld();
    other.faults.at = (call) => {
      if (call === "createCollection")
        throw Object.assign(new Error("capped collections are not supported"), { code: 238 });
    };
    await other.task.run(await other.lease("restore"), never);
    assert.equal((await other.job()).failureReason, "capped collections are not supported");
    await assertUntouched(other);
  });

  test("who has lost the job, or whose target moved meanwhile, changes nothing and throws away what was staged", async () => {
    for (const meanwhile of [
      (world: RestoreWorld) => world.metadata.jobs.releaseAll(),
      (world: RestoreWorld) => world.metadata.deployments.update(world.targetId, { generation: 7 }),
    ]) {
      const world = await createRestoreWorld();
      world.faults.at = async (call) => {
        if (call === "finish") await meanwhile(world);
      };
      await assert.rejects(world.task.run(await world.lease("restore"), never), /target was changed/);
      assert.equal((await world.job()).finishedAtMs, undefined);
      assert.equal(world.host.served.get(world.targetId)?.generation, 1);
      assert.equal(world.host.aborted.length, 1);
    }
  });

  test("a failure after the transaction deletes nothing: the new generation is the true one", async () => {
    const world = await createRestoreWorld();
    world.faults.at = (call) => {
      if (call === "switchGeneration") throw new Error("the thread died");
    };
    await assert.rejects(world.task.run(await world.lease("restore"), never), /the thread died/);
    assert.equal(await world.generation(), 2);
    assert.equal((await world.job()).failed, false);
    assert.deepEqual(world.host.aborted, []);
  });

  test("when it is not known whether the transaction went through, what was staged stays", async () => {
    const world = await createRestoreWorld();
    const transitions = {
      ...createRestoreTransitions(world),
      finish: () => Promise.reject(new Error("the disk is full")),
    };
    await assert.rejects(
      restore({ ...world, transitions }).run(await world.lease("restore"), never),
      /the disk is full/,
    );
    assert.deepEqual(world.host.aborted, []);
  });
});

type Staged = Parameters<RememberingHost["spoil"]>[0];

function change(staged: Staged, changes: object): void {
  const orders = staged.get("orders");
  if (orders !== undefined) orders.description = { ...orders.description, ...changes };
}

function rename(staged: Staged): void {
  const other = staged.get("other");
  if (other !== undefined) other.description = { ...other.description, name: "other" };
}
