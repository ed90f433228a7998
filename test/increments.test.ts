import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MongoClient } from "mongodb";
import { createMongoSource } from "../src/adapters/source-mongodb/source-mongodb.ts";
import { createSnapshotTransitions } from "../src/domain/backups/snapshot-transitions.ts";
import type { IncrementCheckEvery } from "../src/jobs/increment-plan.ts";
import { takeSnapshot } from "../src/jobs/tasks/takeSnapshot.ts";
import type { SnapshotReader } from "../src/ports/snapshot-repository.ts";
import { type HostedDatabases, openHostedDatabases } from "./support/hosted-databases.ts";
import { createJobsWorld, type JobsWorld } from "./support/jobs-world.ts";
import { RandomWriter } from "./support/random-writer.ts";
import { seeded } from "./support/crash-world.ts";

const never = new AbortController().signal;
const rounds = 25;
const seed = Number(process.env["TELAMON_INCREMENT_SEED"] ?? Date.now() % 1_000_000);

describe("snapshots made of the one before and the operation log", () => {
  let databases: HostedDatabases;
  before(async () => {
    databases = await openHostedDatabases();
  });
  after(() => databases.close());

  interface Served {
    readonly world: JobsWorld;
    readonly client: MongoClient;
    take(checkEvery?: IncrementCheckEvery): Promise<SnapshotReader>;
  }

  /** A database with a world that takes its snapshots. */
  async function serve(): Promise<Served> {
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    const connectionString = await databases.host.systemConnectionString(deployment.id);
    const world = await createJobsWorld();
    await world.instance("Instance0");
    const transitions = createSnapshotTransitions(world);
    const source = createMongoSource(world.clock);
    const sources = { of: async () => ({ source, connectionString }) };
    return {
      world,
      client: await databases.connect(deployment.id),
      async take(incrementCheckEvery = "never") {
        const wanted = { description: "x", retentionInDays: 1 };
        const { id } = await world.services.snapshots.take(world.projectId, "Instance0", wanted);
        await takeSnapshot({ ...world, sources, transitions, incrementCheckEvery }).run(
          await world.lease("takeSnapshot"),
          never,
        );
        const snapshot = await world.services.snapshots.get(world.projectId, "Instance0", id);
        assert.equal(snapshot.status, "completed");
        return world.repository.open(snapshot.manifestKey as string);
      },
    };
  }

  /** While nobody writes: every collection, by chunks and counts, is what the database holds. */
  async function requireSame(reader: SnapshotReader, client: MongoClient): Promise<void> {
    await reader.verify();
    const names: string[] = [];
    for (const { name: database } of (await client.db().admin().listDatabases({ nameOnly: true })).databases) {
      if (database === "local" || database === "config") continue;
      for (const { name, type } of await client.db(database).listCollections().toArray()) {
        if (name.startsWith("system.")) continue;
        names.push(`${database}.${name}`);
        if (type === "view") continue;
        const raw = client.db(database).collection(name).find({}, { raw: true }).sort({ _id: 1 });
        const documents = (await raw.toArray()) as unknown[] as Uint8Array[];
        const stored = await reader.compare(
          database,
          name,
          (async function* () {
            yield* documents;
          })(),
        );
        assert.ok(stored.equal, `${database}.${name} is not what the database holds`);
        const found = reader.collections.find((one) => one.database === database && one.name === name);
        assert.deepEqual(
          [found?.documentCount, found?.dataSizeBytes],
          [documents.length, documents.reduce((sum, { length }) => sum + length, 0)],
        );
      }
    }
    assert.deepEqual(
      reader.collections.map(({ database, name }) => `${database}.${name}`).toSorted(),
      names.toSorted(),
    );
  }

  test(`are what a full read is, whatever was done in between (seed ${seed})`, async () => {
    const random = seeded(seed);
    const { client, take } = await serve();
    const writer = new RandomWriter(client, random);
    await writer.fill();
    let byLog = 0;
    let previous = await take();
    for (let round = 0; round < rounds; round += 1) {
      const count = 1 + Math.floor(random() ** 2 * 25);
      for (let done = 0; done < count; done += 1) await writer.doSomething();
      const isChecked = random() < 0.3;
      const reader = await take(isChecked ? 1 : "never");
      await requireSame(reader, client);
      if (isChecked) assert.notEqual(reader.facts.incrementCheck, "different");
      byLog += reader.facts.incrementsInARow === undefined ? 0 : 1;
      previous = reader;
    }
    assert.ok(previous.collections.length > 0 && byLog > rounds / 3, `${byLog} of ${rounds} were made of the log`);
  });
});
