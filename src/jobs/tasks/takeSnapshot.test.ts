import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { createJobsWorld, describe, documentOf, type JobsWorld } from "../../../test/support/jobs-world.ts";
import { createDeploymentTransitions } from "../../domain/deployments/deployment-transitions.ts";
import { createSnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { SnapshotDamaged } from "../../ports/snapshot-repository.ts";
import { CatalogueChanged } from "../../ports/snapshot-source.ts";
import type { Task } from "../define-task.ts";
import { askMs } from "../still-wanted.ts";
import { garbageGraceMs } from "../../domain/backups/garbage-collection-service.ts";
import { collectGarbage } from "./collectGarbage.ts";
import { deprovision } from "./deprovision.ts";
import { takeSnapshot } from "./takeSnapshot.ts";

const never = new AbortController().signal;

function taskOf(world: JobsWorld): Task {
  return takeSnapshot({ ...world, transitions: createSnapshotTransitions(world) });
}

async function request(world: JobsWorld): Promise<string> {
  return (await world.services.snapshots.take(world.projectId, "Instance0", { description: "x", retentionInDays: 1 }))
    .id;
}

function found(world: JobsWorld, id: string): Promise<SnapshotRecord> {
  return world.services.snapshots.get(world.projectId, "Instance0", id);
}

/** An instance with one collection of so many documents. */
async function worldWithDocuments(count: number): Promise<JobsWorld> {
  const world = await createJobsWorld();
  await world.instance("Instance0");
  world.data.set("orders", {
    description: describe("orders"),
    documents: Array.from({ length: count }, (_, index) => documentOf(index, "text ".repeat(50))),
  });
  return world;
}

async function storedDocuments(world: JobsWorld, manifestKey: string): Promise<Buffer> {
  const reader = await world.repository.open(manifestKey);
  await reader.verify();
  return Buffer.concat(await Array.fromAsync(reader.documents("shop", "orders")));
}

function run(world: JobsWorld, task: Task = taskOf(world)): Promise<void> {
  return world.lease("takeSnapshot").then((job) => task.run(job, never));
}

suite("taking a snapshot", () => {
  test("completes with what was read: documents, sizes, times and how it was read", async () => {
    const world = await worldWithDocuments(10);
    const id = await request(world);
    const capturedAtMs = world.clock.nowMs();
    world.faults.at = (call) => {
      if (call === "read") world.clock.advance(1000);
    };
    await run(world);
    const snapshot = await found(world, id);
    assert.equal(snapshot.status, "completed");
    assert.equal(snapshot.createdAtMs, capturedAtMs);
    assert.equal(snapshot.completedAtMs, world.clock.nowMs());
    assert.equal(snapshot.expiresAtMs, world.clock.nowMs() + 86_400_000);
    assert.deepEqual(
      [snapshot.consistency, snapshot.clusterTime, snapshot.serverVersion],
      ["exact", { seconds: 1, increment: 2 }, "7.0.0"],
    );
    assert.ok(snapshot.storageSizeBytes > 0 && snapshot.addedSizeBytes > 0);
    const stored = await storedDocuments(world, snapshot.manifestKey as string);
    assert.ok(stored.equals(Buffer.concat(world.data.get("orders")?.documents ?? [])));
  });

  for (const call of ["open", "read", "confirmCatalogue"]) {
    test(`a failure of ${call} leaves it in progress for the next attempt, which completes it; giving up says why`, async () => {
      const world = await worldWithDocuments(10);
      const id = await request(world);
      world.faults.at = (at) => {
        if (at === call) throw new Error("the wire was cut");
      };
      const job = await world.lease("takeSnapshot");
      await assert.rejects(taskOf(world).run(job, never), /the wire was cut/);
      assert.equal((await found(world, id)).status, "inProgress");
      world.faults.at = () => undefined;
      const second = await worldAfterRetry(world, id);
      assert.equal(second.status, "completed");

      const other = await request(world);
      await taskOf(world).giveUp(await world.lease("takeSnapshot"), "the wire was cut");
      const failed = await found(world, other);
      assert.deepEqual(
        [failed.status, failed.failureReason, failed.manifestKey],
        ["failed", "the wire was cut", undefined],
      );
    });
  }

  test("reads everything once more when the catalogue changed, and fails this attempt when it changed again", async () => {
    for (const [changes, status] of [
      [1, "completed"],
      [2, "inProgress"],
    ] as const) {
      const world = await worldWithDocuments(10);
      const id = await request(world);
      let left: number = changes;
      world.faults.at = (call) => {
        if (call !== "confirmCatalogue" || left === 0) return;
        left -= 1;
        throw new CatalogueChanged("orders was dropped");
      };
      const job = await world.lease("takeSnapshot");
      if (status === "completed") await taskOf(world).run(job, never);
      else await assert.rejects(taskOf(world).run(job, never), /orders was dropped/);
      assert.equal((await found(world, id)).status, status);
    }
  });

  test("a damaged snapshot before costs the sharing with it, not the snapshot", async () => {
    const world = await worldWithDocuments(10);
    await request(world);
    await run(world);
    const id = await request(world);
    const repository = {
      ...world.repository,
      begin: (wanted: Parameters<typeof world.repository.begin>[0]) =>
        wanted.parentManifestKey === undefined
          ? world.repository.begin(wanted)
          : Promise.reject(new SnapshotDamaged("packs/1", "it is torn")),
    };
    await run(world, taskOf({ ...world, repository }));
    assert.equal((await found(world, id)).status, "completed");
    assert.ok(world.logged.some((line) => line.includes("is damaged")));
  });

  test("a time series collection, whose documents cannot be read yet, is never called backed up", async () => {
    const world = await worldWithDocuments(1);
    world.data.set("weather", { description: describe("weather", { type: "timeseries" }), documents: [] });
    const id = await request(world);
    await assert.rejects(run(world), /shop\.weather cannot be backed up/);
    assert.notEqual((await found(world, id)).status, "completed");
  });

  test("a view is kept with its options and without documents", async () => {
    const world = await worldWithDocuments(1);
    const options = Uint8Array.of(5, 0, 0, 0, 0);
    world.data.set("seen", {
      description: describe("seen", { type: "view", options, indexes: [] }),
      documents: [documentOf(1, "must not be read")],
    });
    const id = await request(world);
    await run(world);
    const reader = await world.repository.open((await found(world, id)).manifestKey as string);
    assert.equal(reader.collections.find(({ name }) => name === "seen")?.documentCount, 0);
  });

  test("who has lost the job completes nothing", async () => {
    const world = await worldWithDocuments(3);
    const id = await request(world);
    world.faults.at = async (call) => {
      if (call === "confirmCatalogue") await world.metadata.jobs.releaseAll();
    };
    await run(world);
    assert.equal((await found(world, id)).status, "inProgress");
    assert.equal(await world.metadata.jobs.unfinishedFor(id), true, "the job is still there to be done");
  });

  test("an instance that is being deleted ends it within seconds, and then goes itself", async () => {
    const world = await worldWithDocuments(10);
    const id = await request(world);
    let reads = 0;
    world.faults.at = async (call) => {
      if (call !== "read") return;
      reads += 1;
      if (reads === 2) await world.services.serverlessInstances.delete(world.projectId, "Instance0");
      world.clock.advance(askMs);
    };
    await run(world);
    assert.ok(reads < 10, "it was not read to its end");
    assert.equal(await world.metadata.jobs.unfinishedFor(id), false);
    const remove = deprovision({ ...world, transitions: createDeploymentTransitions(world) });
    await remove.run(await world.lease("deprovision"), never);
    assert.equal((await world.metadata.deployments.all()).length, 0);
    assert.equal(world.host.removed.length, 1);
    assert.equal((await world.lease("collectGarbage")).kind, "collectGarbage");
  });

  test("stops with the signal's reason", async () => {
    const world = await worldWithDocuments(10);
    await request(world);
    const controller = new AbortController();
    world.faults.at = (call) => {
      if (call === "read") controller.abort(new Error("The server is shutting down."));
    };
    await assert.rejects(taskOf(world).run(await world.lease("takeSnapshot"), controller.signal), /shutting down/);
  });

  test("no connection string reaches the log", async () => {
    const world = await worldWithDocuments(10);
    await request(world);
    await run(world);
    assert.ok(world.logged.length > 0);
    assert.ok(!world.logged.some((line) => line.includes("secret")));
  });
});

suite("collecting garbage", () => {
  test("keeps what a snapshot being taken shares with one that expired meanwhile", async () => {
    const world = await worldWithDocuments(500);
    const first = await request(world);
    await run(world);
    const second = await request(world);
    const garbage = collectGarbage(world);
    const sweep = async (): Promise<void> => {
      await world.metadata.jobs.insert({
        id: world.ids.objectId(),
        kind: "collectGarbage",
        subjectId: "store",
        exclusiveKey: "store",
        runAtMs: 0,
      });
      await garbage.run(await world.lease("collectGarbage"), never);
      // Whatever was marked has waited long enough at the next.
      world.clock.advance(2 * garbageGraceMs);
    };
    world.faults.at = async (call) => {
      if (call !== "confirmCatalogue") return;
      await world.metadata.snapshots.delete(first);
      for (let count = 0; count < 3; count += 1) await sweep();
    };
    await run(world);
    for (let count = 0; count < 3; count += 1) await sweep();
    const { status, manifestKey, addedSizeBytes, storageSizeBytes } = await found(world, second);
    assert.equal(status, "completed");
    assert.ok(addedSizeBytes < storageSizeBytes / 2, "it shares with the one before, or this looks at nothing");
    assert.ok(
      (await storedDocuments(world, manifestKey as string)).equals(
        Buffer.concat(world.data.get("orders")?.documents ?? []),
      ),
    );
    assert.deepEqual([...(await world.metadata.snapshots.liveManifestKeys())], [manifestKey]);
  });
});

async function worldAfterRetry(world: JobsWorld, id: string): Promise<SnapshotRecord> {
  await world.metadata.jobs.releaseAll();
  await run(world);
  return found(world, id);
}
