// `node bench/store/by-log.ts [--mib 1024] [--ways log,read,check]`: snapshots of an embedded database, from the engine's worker thread over the wire into a store of files: the first one, then after each change one
// that is made of the one before and the operation log, and one that reads everything, for comparison.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { MongoClient, ObjectId } from "mongodb";
import { createFileBlobStore } from "../../src/adapters/blob-file-system/file-blob-store.ts";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createMongoSource } from "../../src/adapters/source-mongodb/source-mongodb.ts";
import { openBackupStore } from "../../src/backup-store/index.ts";
import { copyCollection, incrementFacts } from "../../src/jobs/copy-collection.ts";
import { type IncrementCheckEvery, planIncrement } from "../../src/jobs/increment-plan.ts";
import type { Log } from "../../src/ports/log.ts";
import type { CommittedSnapshot } from "../../src/ports/snapshot-repository.ts";
import { openHostedDatabases } from "../../test/support/hosted-databases.ts";
import { isUpdated, orderBatches, orderOf, type OrderVariant } from "./orders.ts";

const { values } = parseArgs({
  options: { mib: { type: "string", default: "1024" }, ways: { type: "string", default: "log,read,check" } },
});
const ways = new Set(values.ways.split(","));
const sizeBytes = Number(values.mib) * 1_048_576;
const unchanged: OrderVariant = { updated: 0, appended: 0, round: 0 };

const databases = await openHostedDatabases();
const storeFolder = await mkdtemp(join(tmpdir(), "telamon-bench-log-"));
try {
  await run();
} finally {
  await databases.close();
  await rm(storeFolder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const { client, connectionString } = await serve();
  const orders = client.db("bench").collection("orders");
  const documentCount = await orders.estimatedDocumentCount();
  console.log(`${values.mib} MiB, ${documentCount} documents`);
  const take = await createTaker(connectionString);
  const first = await take("first", undefined, "never");
  let parent = first.manifestKey;
  for (const [round, updated] of [0, 0.001, 0.01].entries()) {
    const ids = changedIds(documentCount, { updated, appended: 0, round });
    for (let start = 0; start < ids.length; start += 1000)
      await orders.updateMany({ _id: { $in: ids.slice(start, start + 1000) } }, { $set: { st: "back" } });
    const name = `${ids.length} changed`;
    const byLog = await take(`${name}, by log`, parent, "never");
    const ratios = [`${(first.seconds / byLog.seconds).toFixed(1)} times as fast as the first`];
    if (ways.has("read")) {
      const { seconds } = await take(`${name}, all read`, parent, "read");
      ratios.push(`${(seconds / byLog.seconds).toFixed(1)} times as fast as reading all`);
    }
    if (ways.has("check")) await take(`${name}, checked`, parent, 1);
    console.log(`  by log ${ratios.join(", ")}`);
    parent = byLog.manifestKey;
  }
}

function changedIds(count: number, variant: OrderVariant): ObjectId[] {
  const ids: ObjectId[] = [];
  for (let number = 0; number < count; number += 1)
    if (isUpdated(number, variant)) ids.push(orderOf(number, variant)["_id"] as ObjectId);
  return ids;
}

/** A database that holds the documents; loaded as a restore loads them, so that the log holds what follows alone. */
async function serve(): Promise<{ readonly client: MongoClient; readonly connectionString: string }> {
  const deployment = databases.deployment();
  const staging = await databases.host.openStaging(deployment.id, deployment.generation);
  await staging.createCollection({
    database: "bench",
    name: "orders",
    type: "collection",
    uuid: randomBytes(16),
    options: Uint8Array.of(5, 0, 0, 0, 0),
    indexes: [],
  });
  for (const batch of orderBatches(sizeBytes, unchanged)) await staging.insertDocuments("bench", "orders", batch);
  await staging.finish();
  await databases.host.start(deployment);
  const client = await databases.connect(deployment.id);
  // Something in the log, to go on from.
  await client.db("other").collection("things").insertOne({ a: 1 });
  return { client, connectionString: await databases.host.systemConnectionString(deployment.id) };
}

type Take = (
  name: string,
  parentManifestKey: string | undefined,
  way: IncrementCheckEvery | "read",
) => Promise<CommittedSnapshot & { readonly seconds: number }>;

async function createTaker(connectionString: string): Promise<Take> {
  const clock = createSystemClock();
  const repository = await openBackupStore({
    blobs: await createFileBlobStore({ root: storeFolder, randomBytes }),
    secret: randomBytes(32),
    randomBytes,
  });
  const source = createMongoSource(clock);
  const tell = (fields: object, message: string): void => console.log(`  ${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: () => undefined, info: tell, warn: tell, error: tell };
  let count = 0;
  return async (name, parentManifestKey, way) => {
    count += 1;
    const beganMs = performance.now();
    const beganCpu = process.cpuUsage();
    const reading = await source.open(connectionString, new AbortController().signal);
    const writer = await repository.begin({
      lineageId: "bench",
      snapshotId: count.toString(16).padStart(24, "0"),
      ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
    });
    const plan = await planIncrement(reading, way === "read" ? undefined : writer.parent, way === "read" ? 1 : way);
    const copied = [];
    for (const description of reading.collections)
      copied.push(await copyCollection({ reading, writer, plan, log, about: {} }, description, async () => undefined));
    await reading.confirmCatalogue();
    const facts = { ...reading.facts, ...incrementFacts(writer.parent?.facts, copied) };
    const committed = await writer.commit(facts);
    await reading.close();
    const seconds = (performance.now() - beganMs) / 1000;
    const { user, system } = process.cpuUsage(beganCpu);
    const made = facts.incrementCheck ?? (facts.incrementsInARow === undefined ? "read" : "log");
    console.log(
      `${name.padEnd(28)} ${made.padEnd(6)} ${seconds.toFixed(2).padStart(7)} s ${((user + system) / 1e6).toFixed(2).padStart(7)} CPU s  stored ${(committed.addedSizeBytes / 1_048_576).toFixed(1).padStart(7)} MiB  memory ${(process.memoryUsage().rss / 1_048_576).toFixed(0)} MiB`,
    );
    return { ...committed, seconds };
  };
}
