// Kills the server with SIGKILL at random moments of snapshots and restores and looks at what is left. A bounded slice runs with the other tests;
// TELAMON_CRASH_ROUNDS=200 runs more, and TELAMON_CRASH_SEED repeats the choices of a run (the moments themselves depend on the machine).
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import {
  createCrashWorld,
  type CrashWorld,
  openLeftOnDisk,
  seeded,
  type SnapshotAnswer,
  source,
  target,
} from "./support/crash-world.ts";
import { eventually, temporaryDataDirectory } from "./support/telamon-process.ts";

const rounds = Number(process.env["TELAMON_CRASH_ROUNDS"] ?? 12);
const seed = Number(process.env["TELAMON_CRASH_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
/** A job that was killed is killed again that often. */
const againShare = 0.25;

interface RestoreAnswer {
  readonly id: string;
  readonly finishedAt?: string;
  readonly failed: boolean;
}

describe(`killed at any moment (seed ${seed}, ${rounds} rounds)`, { timeout: 60_000 + rounds * 20_000 }, () => {
  const data = temporaryDataDirectory();
  const world: CrashWorld = createCrashWorld(data.path, seeded(seed));
  /** What each acknowledged snapshot must hold, by its id. */
  const digests = new Map<string, string>();
  const completed = new Set<string>();
  const hits = { snapshot: 0, restore: 0, kills: 0 };
  let startMs = 0;
  let snapshotMs = 0;
  let restoreMs = 0;
  let running = false;

  before(async () => {
    startMs = await timed(() => world.start());
    running = true;
    await world.createInstances();
    snapshotMs = await timed(() => snapshotWithout());
    restoreMs = await timed(() => restoreWithout());
  });
  after(async () => {
    if (running) await world.kill();
    data.remove();
  });

  test("a snapshot is retried or failed, what was completed stays completed", async () => {
    for (let round = 1; round <= Math.ceil(rounds / 2); round += 1) {
      const digest = await world.change(round);
      const { id } = await requestSnapshot();
      digests.set(id, digest);
      const unfinished = async (): Promise<boolean> => !hasEnded(await snapshot(id));
      await killDuring("snapshot", snapshotMs, unfinished, async () => {
        const found = new Map((await world.snapshots()).map((one) => [one.id, one.status]));
        const lost = [...completed].filter((known) => found.get(known) !== "completed");
        assert.deepEqual(lost, [], "a completed snapshot is lost");
        assert.ok(found.has(id), "an acknowledged snapshot is lost");
      });
      const { status } = await ended(id);
      assert.equal(status, "completed", "a snapshot that was only interrupted completes when it is taken up again");
      completed.add(id);
    }
  });

  test("a restore's target is wholly as before or wholly restored", async () => {
    for (let round = 1; round <= Math.floor(rounds / 2); round += 1) {
      const before = await world.digest(target);
      const others = [...completed].filter((one) => digests.get(one) !== before);
      const snapshotId = others[Math.floor(world.random() * others.length)] as string;
      const restored = digests.get(snapshotId);
      const { id } = await requestRestore(snapshotId);
      const unfinished = async (): Promise<boolean> => (await restoreJob(id)).finishedAt === undefined;
      await killDuring("restore", restoreMs, unfinished, async () => {
        const finished = !(await unfinished());
        const now = await world.digest(target);
        assert.ok(now === restored || (now === before && !finished), "the target is neither as before nor restored");
      });
      await restoreEnded(id);
      assert.equal(await world.digest(target), restored, "a finished restore is what clients read");
    }
  });

  test("every snapshot that says completed opens, verifies and holds the documents of its time", async () => {
    const projectId = world.groupPath.split("/").at(-1) as string;
    assert.equal(await world.stop(), 0);
    running = false;
    const left = await openLeftOnDisk(data.path, projectId);
    try {
      assert.equal(await left.unfinishedJobs(), false, "no job is left behind");
      assert.equal(left.snapshots.length, digests.size);
      for (const snapshot of left.snapshots) {
        assert.equal(snapshot.status, "completed", snapshot.failureReason);
        assert.equal(snapshot.consistency, "exact");
        assert.equal(
          await left.verifiedDigest(snapshot),
          digests.get(snapshot.id),
          `snapshot ${snapshot.id} holds other documents`,
        );
      }
      for (const job of left.restoreJobs)
        assert.ok(job.finishedAtMs !== undefined && !job.failed, job.failureReason ?? "an unfinished restore");
    } finally {
      await left.close();
    }
  });

  test("the kills met work under way", (context) => {
    context.diagnostic(
      `${hits.kills} kills; ${hits.snapshot} met a snapshot under way, ${hits.restore} a restore (${Math.round(snapshotMs)} and ${Math.round(restoreMs)} ms long)`,
    );
    assert.ok(
      hits.snapshot > 0 && hits.restore > 0,
      "no kill met a snapshot, or none a restore: the test looks at nothing",
    );
  });

  /** Kills after a random part of `durationMs`, starts again and checks; sometimes again and again. */
  async function killDuring(
    kind: "snapshot" | "restore",
    durationMs: number,
    unfinished: () => Promise<boolean>,
    check: () => Promise<void>,
  ): Promise<void> {
    do {
      // The first of a kind comes early, so that it surely meets work under way.
      await delay(world.random() * durationMs * (hits[kind] === 0 ? 0.3 : 1));
      if (await unfinished()) hits[kind] += 1;
      await world.kill();
      hits.kills += 1;
      // A start is as good a moment to die as any.
      if (world.random() < againShare) {
        await world.startAndKill(world.random() * startMs);
        hits.kills += 1;
      }
      await world.start();
      await check();
    } while (world.random() < againShare);
  }

  async function snapshotWithout(): Promise<void> {
    const digest = await world.digest(source);
    const { id } = await requestSnapshot();
    assert.equal((await ended(id)).status, "completed");
    digests.set(id, digest);
    completed.add(id);
  }

  async function restoreWithout(): Promise<void> {
    const [id] = [...completed] as [string];
    await restoreEnded((await requestRestore(id)).id);
    assert.equal(await world.digest(target), digests.get(id));
  }

  function requestSnapshot(): Promise<SnapshotAnswer> {
    return world.send("POST", `${world.groupPath}/serverless/${source}/backup/snapshots`, {
      description: "crash",
      retentionInDays: 1,
    });
  }

  function snapshot(id: string): Promise<SnapshotAnswer> {
    return world.send("GET", `${world.groupPath}/serverless/${source}/backup/snapshots/${id}`);
  }

  function ended(id: string): Promise<SnapshotAnswer> {
    return eventually(`snapshot ${id} to end`, async () => {
      const found = await snapshot(id);
      return hasEnded(found) ? found : undefined;
    });
  }

  function requestRestore(snapshotId: string): Promise<RestoreAnswer> {
    const [targetGroupId] = world.groupPath.split("/").slice(-1);
    return world.send("POST", `${world.groupPath}/serverless/${source}/backup/restoreJobs`, {
      deliveryType: "automated",
      snapshotId,
      targetClusterName: target,
      targetGroupId,
    });
  }

  function restoreJob(id: string): Promise<RestoreAnswer> {
    return world.send("GET", `${world.groupPath}/serverless/${source}/backup/restoreJobs/${id}`);
  }

  function restoreEnded(id: string): Promise<RestoreAnswer> {
    return eventually(`restore ${id} to end`, async () => {
      const job = await restoreJob(id);
      assert.ok(!job.failed, "a restore that was only interrupted finishes when it is taken up again");
      return job.finishedAt === undefined ? undefined : job;
    });
  }
});

function hasEnded({ status }: SnapshotAnswer): boolean {
  return status === "completed" || status === "failed";
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}
