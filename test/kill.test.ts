import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MongoClient } from "mongodb";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  startTelamon,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";

/** Kills in one run; TELAMON_KILL_ROUNDS for more, TELAMON_KILL_SEED to repeat one. */
const rounds = Number(process.env.TELAMON_KILL_ROUNDS ?? 8);
const seed = Number(process.env.TELAMON_KILL_SEED ?? Date.now() % 1_000_000);
const documentCount = 3000;

interface Snapshot {
  readonly id: string;
  readonly status: string;
}

interface RestoreJob {
  readonly id: string;
  readonly failed: boolean;
  readonly finishedAt?: string;
}

/** Numbers from 0 to 1 that a seed gives again (mulberry32). */
function createRandom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe(`killed at random points of snapshots and restores (TELAMON_KILL_SEED=${seed})`, () => {
  const data = temporaryDataDirectory();
  const random = createRandom(seed);
  /** What each snapshot must hold, known from the moment it was asked for. */
  const versions = new Map<string, number>();
  const completed = new Set<string>();
  let telamon: TelamonProcess;
  let caller: ApiCaller;
  let group: string;

  before(async () => {
    telamon = await startTelamon(data.path, "--demo");
    group = `/api/atlas/v2/groups/${telamon.credentials.groupId}`;
    caller = await apiCaller(telamon.credentials);
    await caller.request("POST", `${group}/serverless`, {
      name: "Target",
      providerSettings: { backingProviderName: "AWS", regionName: "US_EAST_1" },
    });
    await eventually("the target to be ready", async () => {
      const { body } = await caller.request("GET", `${group}/serverless/Target`);
      return (body as { stateName: string }).stateName === "IDLE" ? true : undefined;
    });
    await withDatabase("Instance0", (client) =>
      client
        .db("proof")
        .collection("state")
        .insertMany(Array.from({ length: documentCount }, (_, n) => ({ n, version: 0, filler: String(n).repeat(60) }))),
    );
    const { results } = (await caller.request("GET", `${group}/serverless/Instance0/backup/snapshots`)).body as {
      results: Snapshot[];
    };
    for (const { id } of results) completed.add(id);
    await setVersion(1);
    await finished(await take(1));
    await telamon.stop();
  });
  after(async () => {
    await telamon.kill().catch(() => undefined);
    data.remove();
  });

  for (let round = 2; round < rounds + 2; round += 1) {
    test(`round ${round - 1}: nothing completed is lost, nothing half-done looks done, the target is wholly old or wholly new`, async () => {
      await restart();
      await setVersion(round);
      const known = [...versions.keys()].filter((id) => completed.has(id));
      const chosen = known[Math.floor(random() * known.length)] as string;
      await Promise.all([take(round), random() < 0.7 ? restore(chosen) : undefined]);
      await new Promise((fulfil) => setTimeout(fulfil, random() * 400));
      await telamon.kill();

      await restart();
      await targetIsWhole();
      const snapshots = await allSnapshots();
      for (const id of completed)
        assert.equal(snapshots.get(id), "completed", `the completed snapshot ${id} is ${snapshots.get(id) ?? "gone"}`);
      await everythingEnded();
      await targetIsWhole();
      await telamon.kill();
    });
  }

  test("every snapshot called completed restores what was there when it was asked for", async () => {
    await restart();
    const taken = [...versions].filter(([id]) => completed.has(id));
    assert.ok(taken.length >= 2, "no snapshot survived to be tried");
    for (const [id, version] of taken) {
      await restore(id);
      await everythingEnded();
      assert.deepEqual(await targetVersions(), [version], `snapshot ${id}`);
    }
  });

  async function restart(): Promise<void> {
    telamon = await startTelamon(data.path);
    caller = await apiCaller(telamon.credentials);
  }

  async function withDatabase<Result>(
    instance: string,
    work: (client: MongoClient) => Promise<Result>,
  ): Promise<Result> {
    const { body } = await caller.request("GET", `${group}/serverless/${instance}`);
    const { connectionStrings } = body as { connectionStrings: { standardSrv: string } };
    const { username, password } = telamon.credentials.demo ?? { username: "", password: "" };
    const client = new MongoClient(
      connectionStrings.standardSrv.replace("mongodb://", `mongodb://${username}:${password}@`),
    );
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  const setVersion = (version: number): Promise<unknown> =>
    withDatabase("Instance0", (client) => client.db("proof").collection("state").updateMany({}, { $set: { version } }));

  async function take(version: number): Promise<string> {
    const { status, body } = await caller.request("POST", `${group}/serverless/Instance0/backup/snapshots`, {
      retentionInDays: 1,
    });
    assert.equal(status, 200, JSON.stringify(body));
    versions.set((body as Snapshot).id, version);
    return (body as Snapshot).id;
  }

  async function restore(snapshotId: string): Promise<void> {
    const { status, body } = await caller.request("POST", `${group}/serverless/Instance0/backup/restoreJobs`, {
      deliveryType: "automated",
      snapshotId,
      targetClusterName: "Target",
      targetGroupId: telamon.credentials.groupId,
    });
    assert.equal(status, 200, JSON.stringify(body));
  }

  async function finished(id: string): Promise<void> {
    await eventually("the snapshot to complete", async () =>
      (await allSnapshots()).get(id) === "completed" ? true : undefined,
    );
    completed.add(id);
  }

  async function allSnapshots(): Promise<Map<string, string>> {
    const { body } = await caller.request("GET", `${group}/serverless/Instance0/backup/snapshots?itemsPerPage=500`);
    return new Map((body as { results: Snapshot[] }).results.map(({ id, status }) => [id, status]));
  }

  /** Jobs are retried after the kill, or end as failed: nothing stays busy. */
  async function everythingEnded(): Promise<void> {
    await eventually("snapshots and restores to end", async () => {
      const snapshots = await allSnapshots();
      for (const [id, status] of snapshots) if (status === "completed") completed.add(id);
      const { body } = await caller.request("GET", `${group}/serverless/Instance0/backup/restoreJobs?itemsPerPage=500`);
      const open = (body as { results: RestoreJob[] }).results.filter(
        ({ failed, finishedAt }) => !failed && finishedAt === undefined,
      );
      const busy = [...snapshots.values()].filter((status) => status === "queued" || status === "inProgress");
      return open.length === 0 && busy.length === 0 ? true : undefined;
    });
  }

  const targetVersions = (): Promise<unknown[]> =>
    withDatabase("Target", (client) => client.db("proof").collection("state").distinct("version"));

  async function targetIsWhole(): Promise<void> {
    const [versionsThere, count] = await withDatabase("Target", async (client) => {
      const state = client.db("proof").collection("state");
      return Promise.all([state.distinct("version"), state.countDocuments({})]);
    });
    // Empty before the first restore; afterwards all documents of one version.
    assert.ok(
      count === 0 || (count === documentCount && versionsThere.length === 1),
      `${count} documents of versions ${JSON.stringify(versionsThere)}`,
    );
  }
});
