import { type ClientSession, type Collection, type Db, MongoClient, type MongoError, Timestamp } from "mongodb";
import type { CollectionDescription, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SnapshotSource, SourceReading } from "../../ports/snapshot-source.ts";
import { describeCollection, type RawDocument } from "./raw-description.ts";

/** Documents asked for at once, about 5 MiB of usual ones; a reply never passes 16 MiB. */
const batchSize = 5000;
/** Bytes handed on at once. */
const pieceBytes = 1_048_576;

/** Reads deployments through the official driver: at one point in time in a snapshot session where the server can, labelled otherwise. */
export function createMongoSource(clock: Clock): SnapshotSource {
  return {
    async open(connectionString, signal) {
      signal.throwIfAborted();
      const client = new MongoClient(connectionString, { serverSelectionTimeoutMS: 15_000, appName: "telamon backup", readConcernLevel: "majority", promoteValues: false });
      const abort = (): void => void client.close(true);
      signal.addEventListener("abort", abort, { once: true });
      try {
        await client.connect();
        return await openReading(client, clock, signal, () => signal.removeEventListener("abort", abort));
      } catch (error) {
        await client.close(true);
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}

async function openReading(client: MongoClient, clock: Clock, signal: AbortSignal, released: () => void): Promise<SourceReading> {
  const { version } = (await client.db("admin").command({ buildInfo: 1 }, { promoteValues: true })) as unknown as { version: string };
  const capturedAtMs = clock.nowMs();
  // The catalogue is read before the first snapshot read and after the last: what is in both is what the snapshot saw.
  const before = await readCatalogue(client);
  const { session, clusterTime } = await beginSnapshot(client, before);
  const facts: SnapshotFacts = {
    consistency: session === undefined ? "best_effort" : "exact",
    ...(clusterTime === undefined ? {} : { clusterTime }),
    serverVersion: /^\d+\.\d+\.\d+/.exec(version)?.[0] ?? "0.0.0",
    capturedAtMs,
  };
  return {
    facts,
    collections: before,
    documents: (database, name) => readDocuments(client.db(database), client.db(database).collection(name), session, signal),
    async confirmCatalogue() {
      const after = await readCatalogue(client);
      if (catalogueKey(before) !== catalogueKey(after)) throw new Error("collections or indexes were changed while they were read");
    },
    async close() {
      released();
      await session?.endSession().catch(() => undefined);
      await client.close(true);
    },
  };
}

/** A session whose reads all see one time; undefined when the server has none. */
async function beginSnapshot(client: MongoClient, catalogue: readonly CollectionDescription[]): Promise<{ session: ClientSession | undefined; clusterTime: SnapshotFacts["clusterTime"] }> {
  const session = client.startSession({ snapshot: true });
  try {
    const first = catalogue[0];
    // The first read fixes the time; a collection that is not there fixes it as well.
    await client.db(first?.database ?? "admin").collection(first?.name ?? "telamon.probe").find({}, { session, projection: { _id: 1 } }).limit(1).toArray();
    const time = (session as unknown as { snapshotTime?: Timestamp }).snapshotTime;
    return { session, clusterTime: time === undefined ? undefined : { seconds: time.getHighBitsUnsigned(), increment: time.getLowBitsUnsigned() } };
  } catch (error) {
    await session.endSession();
    // 123 NotAReplicaSet, 72 InvalidOptions, 246 SnapshotUnavailable, 238 NotImplemented: snapshot reads are not to be had. Anything else is a failure.
    if (![72, 123, 246, 238, 59].includes((error as MongoError).code as number) && !/snapshot/i.test((error as Error).message)) throw error;
    return { session: undefined, clusterTime: undefined };
  }
}

/** User collections and views of every database, options and indexes as the bytes that were answered. */
async function readCatalogue(client: MongoClient): Promise<CollectionDescription[]> {
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true, promoteValues: true });
  const descriptions: CollectionDescription[] = [];
  for (const { name } of databases as { name: string }[]) {
    if (name === "local" || name === "config") continue;
    const database = client.db(name);
    const found = (await database.listCollections({}, { raw: true, nameOnly: false } as object).toArray()) as unknown as RawDocument[];
    for (const document of found) {
      const description = await describeCollection(name, document, (collection) => rawIndexes(database.collection(collection)));
      if (!description.name.startsWith("system.")) descriptions.push(description);
    }
  }
  return descriptions.toSorted((one, other) => compareText(`${one.database}.${one.name}`, `${other.database}.${other.name}`));
}

async function rawIndexes(collection: Collection): Promise<RawDocument[]> {
  return (await collection.listIndexes({ raw: true } as object).toArray()) as unknown as RawDocument[];
}

async function* readDocuments(_database: Db, collection: Collection, session: ClientSession | undefined, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const cursor = collection.find({}, { raw: true, sort: { _id: 1 }, batchSize, noCursorTimeout: true, ...(session === undefined ? {} : { session }) });
  let parts: Uint8Array[] = [];
  let size = 0;
  try {
    while (await cursor.hasNext()) {
      signal.throwIfAborted();
      for (const document of cursor.readBufferedDocuments() as unknown as Uint8Array[]) {
        parts.push(document);
        size += document.length;
        if (size < pieceBytes) continue;
        // The documents are slices of the reply's buffer; joined they are ours.
        yield Buffer.concat(parts);
        parts = [];
        size = 0;
      }
    }
    if (size > 0) yield Buffer.concat(parts);
  } finally {
    await cursor.close();
  }
}

function catalogueKey(catalogue: readonly CollectionDescription[]): string {
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
  return JSON.stringify(catalogue.map(({ database, name, type, uuid, options, indexes }) => [database, name, type, hex(uuid), hex(options), indexes.map(hex)]));
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
