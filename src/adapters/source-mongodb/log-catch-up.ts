import { type ClientSession, type Collection, type MongoClient, MongoServerError, type Timestamp } from "mongodb";
import type { Clock } from "../../ports/clock.ts";
import type { LoggedWrite, RestoreStaging } from "../../ports/deployment-host.ts";
import type { CollectionDescription, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import { keyOf, readCatalogue } from "./catalogue.ts";
import { LoggedWrites, LogUnusable, timeOf } from "./logged-writes.ts";
import { readDocuments } from "./read-documents.ts";

/** An empty database of this process's own, for one deployment at a time. */
export interface ScratchDatabase {
  open(): Promise<RestoreStaging>;
  /** Deletes it with its folder. */
  remove(): Promise<void>;
}

export interface CaughtUp {
  readonly collections: readonly CollectionDescription[];
  readonly clusterTime: NonNullable<SnapshotFacts["clusterTime"]>;
  readonly capturedAtMs: number;
  /** Every document at the cluster time, in `_id` order. */
  documents(database: string, name: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Entries of the log asked for at once; a reply never passes 16 MiB. */
const batchSize = 2000;
/** Reads see what a majority has, and never less than what the session has seen: the log and the copy may come from different members. */
const majority = { readConcern: { level: "majority" } } as const;
/** Writes handed to the copy at once, and about how many bytes. */
const writesMax = 500;
const writesMaxBytes = 4_194_304;
/** CappedPositionLost (entries were cut off faster than they were read), ReadConcernMajorityNotEnabled, InvalidOptions. */
const refusals: ReadonlySet<unknown> = new Set([136, 148, 72]);
const emptyDocument = Uint8Array.of(5, 0, 0, 0, 0);

/**
 * Brings a deployment to one point in time that cannot be read at one: everything is copied while it is written to, into a database of this process's own, and then all that the
 * operation log says was done between the beginning and the end of the copying is done again there. What stands there is what stood in the deployment at the end, because
 * writes in the log can be done again to documents that have them already. Throws `LogUnusable`, and `CatalogueChanged` when collections or indexes were changed meanwhile.
 */
export async function catchUp(
  client: MongoClient,
  scratch: ScratchDatabase,
  clock: Clock,
  signal: AbortSignal,
): Promise<CaughtUp> {
  const session = client.startSession({ causalConsistency: true });
  const copy = await scratch.open();
  const close = async (): Promise<void> => {
    await copy.abort();
    await scratch.remove();
  };
  try {
    const log = client.db("local").collection("oplog.rs", majority);
    const beganAt = await newestTime(log, session);
    // After the beginning: a change of collections from here on is in the log too.
    const collections = await readCatalogue(client);
    for (const description of collections) await copyCollection(client, session, copy, description, clock, signal);
    const endedAt = await newestTime(log, session);
    const capturedAtMs = clock.nowMs();
    await repeatWrites(log, session, collections, copy, beganAt, endedAt, signal);
    return {
      collections,
      clusterTime: { seconds: endedAt.getHighBitsUnsigned(), increment: endedAt.getLowBitsUnsigned() },
      capturedAtMs,
      documents: (database, name) => copy.documents(database, name),
      close,
    };
  } catch (error) {
    await close();
    signal.throwIfAborted();
    if (error instanceof MongoServerError && refusals.has(error.code))
      throw new LogUnusable(`the operation log cannot be read: ${error.message}`);
    throw error;
  } finally {
    await session.endSession();
  }
}

/** Time of an entry before which nothing can come to the log any more. */
async function newestTime(log: Collection, session: ClientSession): Promise<Timestamp> {
  const [newest] = await rawEntries(log.find({}, { raw: true, session }).sort({ $natural: -1 }).limit(1));
  if (newest === undefined) throw new LogUnusable("the operation log is empty");
  // Reading forwards waits for writes that were given an earlier time and are not done yet; reading backwards does not.
  const at = timeOf(newest);
  await rawEntries(log.find({ ts: { $gte: at } }, { raw: true, session }).limit(1));
  return at;
}

async function copyCollection(
  client: MongoClient,
  session: ClientSession,
  copy: RestoreStaging,
  description: CollectionDescription,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { database, name, type } = description;
  if (type !== "collection") return;
  // Options could refuse or lose documents that are brought to a later time; the snapshot has them from the source.
  await copy.createCollection({ ...description, options: emptyDocument, indexes: [] });
  const collection = client.db(database).collection(name, majority);
  for await (const documents of readDocuments(collection, session, clock, signal))
    await copy.insertDocuments(database, name, documents);
}

/** Does again what the log has after one time and up to another. */
async function repeatWrites(
  log: Collection,
  session: ClientSession,
  collections: readonly CollectionDescription[],
  copy: RestoreStaging,
  beganAt: Timestamp,
  endedAt: Timestamp,
  signal: AbortSignal,
): Promise<void> {
  const names = new Set(collections.filter(({ type }) => type === "collection").map(keyOf));
  const writes = new LoggedWrites(log, names);
  const cursor = log
    .find({ ts: { $gte: beganAt, $lte: endedAt } }, { raw: true, batchSize, session })
    .sort({ $natural: 1 });
  const collected = new CollectedWrites(copy);
  let isFirst = true;
  let last: Timestamp | undefined;
  try {
    while (await cursor.hasNext()) {
      signal.throwIfAborted();
      for (const entry of cursor.readBufferedDocuments() as unknown[] as Uint8Array[]) {
        last = timeOf(entry);
        // The entry at which copying began is the first, or those after it may be gone too.
        if (isFirst && !last.equals(beganAt))
          throw new LogUnusable("the operation log was cut off while collections were copied");
        if (!isFirst) for await (const some of writes.of(entry)) await collected.add(some);
        isFirst = false;
      }
      await collected.flush();
    }
    if (cursor.killed) throw new Error("the reading was closed before its end");
  } finally {
    await cursor.close().catch(() => undefined);
  }
  if (last?.equals(endedAt) !== true) throw new LogUnusable("the operation log ends too early");
}

/** Hands writes on by the hundred, or when they are large. */
class CollectedWrites {
  readonly #copy: RestoreStaging;
  #writes: LoggedWrite[] = [];
  #sizeBytes = 0;

  constructor(copy: RestoreStaging) {
    this.#copy = copy;
  }

  async add(writes: readonly LoggedWrite[]): Promise<void> {
    for (const write of writes) {
      this.#writes.push(write);
      this.#sizeBytes += write.o?.length ?? 0;
      if (this.#writes.length >= writesMax || this.#sizeBytes >= writesMaxBytes) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const writes = this.#writes;
    this.#writes = [];
    this.#sizeBytes = 0;
    if (writes.length > 0) await this.#copy.applyWrites(writes);
  }
}

async function rawEntries(cursor: { toArray(): Promise<unknown[]> }): Promise<Uint8Array[]> {
  return (await cursor.toArray()) as Uint8Array[];
}
