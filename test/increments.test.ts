import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { BSON, type MongoClient } from "mongodb";
import { createMongoSource } from "../src/adapters/source-mongodb/source-mongodb.ts";
import { createSnapshotTransitions } from "../src/domain/backups/snapshot-transitions.ts";
import type { IncrementCheckEvery } from "../src/jobs/increment-plan.ts";
import { takeSnapshot } from "../src/jobs/tasks/takeSnapshot.ts";
import type { SnapshotReader } from "../src/ports/snapshot-repository.ts";
import type { SnapshotSource, SourceReading } from "../src/ports/snapshot-source.ts";
import { type HostedDatabases, openHostedDatabases } from "./support/hosted-databases.ts";
import { createJobsWorld, type JobsWorld } from "./support/jobs-world.ts";
import { RandomWriter } from "./support/random-writer.ts";
import { seeded } from "./support/crash-world.ts";

const never = new AbortController().signal;
const rounds = 25;
const writers = 8;
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
    readonly deploymentId: string;
    /** What the reading of the next snapshots is replaced by. */
    spoil: (reading: SourceReading) => SourceReading;
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
    const mongo = createMongoSource(world.clock);
    const source: SnapshotSource = { open: async (...request) => served.spoil(await mongo.open(...request)) };
    const sources = { of: async () => ({ source, connectionString }) };
    const served: Served = {
      world,
      deploymentId: deployment.id,
      spoil: (reading) => reading,
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
    return served;
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

  test(`are what a full read is while ${writers} clients write`, async () => {
    const { client, take, world } = await serve();
    const things = client.db("busy").collection<{ _id: number; text: string }>("things");
    await things.insertMany(Array.from({ length: 5000 }, (_, _id) => ({ _id, text: "x".repeat(200) })));
    await take();
    const stop = new AbortController();
    let written = 0;
    // Of so few changes that the log is always followed.
    let allowed = 250;
    const writing = Array.from({ length: writers }, async (_, writer) => {
      for (let step = 0; !stop.signal.aborted; step += 1) {
        await until(() => written < allowed || stop.signal.aborted);
        const _id = (step * writers + writer) * 7919;
        await things.insertOne({ _id: 5000 + _id, text: String(step) });
        await things.updateOne({ _id: _id % 5000 }, { $set: { text: "y".repeat(_id % 400) } });
        await things.deleteOne({ _id: (_id * 31) % 5000 });
        written += 1;
      }
    });
    try {
      const ways = [];
      for (let round = 0; round < 6; round += 1) {
        const before = written;
        allowed = before + 250;
        await until(() => written > before);
        const { facts } = await take(2);
        ways.push(facts.incrementCheck ?? facts.incrementsInARow);
      }
      // Each second one was made both ways, of a snapshot that was made of the log.
      const reasons = world.logged.filter((line) => line.includes("read")).join("\n");
      assert.deepEqual(ways, [1, "equal", 1, "equal", 1, "equal"], `${written} rounds of writes\n${reasons}`);
    } finally {
      stop.abort();
      await Promise.all(writing);
    }
    await requireSame(await take(), client);
  });

  test("a check finds a log that keeps something back, says so, keeps what was read, and the log is not believed until it tells all again", async () => {
    const served = await serve();
    const { client, take, world } = served;
    const things = client.db("shop").collection<{ _id: number; n?: number }>("things");
    await things.insertMany(Array.from({ length: 2000 }, (_, _id) => ({ _id })));
    await take();
    const change = (n: number) => things.updateMany({ _id: { $in: [3, 1500] } }, { $set: { n } });
    served.spoil = (reading) => ({
      ...reading,
      async changesSince(...request) {
        const changes = await reading.changesSince(...request);
        assert.ok("of" in changes);
        return {
          of(collection) {
            const changed = changes.of(collection);
            return "ids" in changed ? { ids: changed.ids.slice(1) } : changed;
          },
        };
      },
    });
    await change(1);
    const checked = await take(1);
    assert.equal(checked.facts.incrementCheck, "different");
    await requireSame(checked, client);
    const line = world.logged.find((text) => text.includes("is not what the source holds"));
    assert.match(line ?? "", /shop\.things/);
    await change(2);
    assert.equal(
      (await take(100)).facts.incrementCheck,
      "different",
      "it is looked at again, though it is not its turn",
    );
    served.spoil = (reading) => reading;
    await change(3);
    assert.equal((await take(100)).facts.incrementCheck, "equal");
    await change(4);
    const trusted = await take(100);
    assert.equal(trusted.facts.incrementsInARow, 1);
    assert.deepEqual(world.increments.snapshots, { log: 1, read: 4 });
    assert.deepEqual(world.increments.checks, { equal: 1, different: 2 });
    await requireSame(trusted, client);
  });

  test("after a restore everything is read: the log of before is gone, though the collections are the same", async () => {
    const { client, take, deploymentId, world } = await serve();
    const things = client.db("shop").collection<{ _id: number }>("things");
    await things.insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id })));
    const before = await take();
    const [collection] = before.collections;
    assert.ok(collection !== undefined);
    const staging = await databases.host.openStaging(deploymentId, 2);
    await staging.createCollection(collection);
    await staging.insertDocuments("shop", "things", BSON.serialize({ _id: 7, restored: true }));
    await staging.createIndexes("shop", "things", collection.indexes);
    await staging.finish();
    await databases.host.switchGeneration(deploymentId, 2, async () => true);
    const after = await take();
    assert.equal(after.facts.incrementsInARow, undefined);
    assert.deepEqual(after.collections[0]?.uuid, collection.uuid);
    assert.ok(world.logged.some((line) => line.includes("does not reach back")));
    await requireSame(after, await databases.connect(deploymentId));
    assert.equal(after.collections[0]?.documentCount, 1);
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(1);
}
