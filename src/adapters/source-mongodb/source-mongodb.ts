import {
  type ClientSession,
  type Collection,
  MongoClient,
  MongoCompatibilityError,
  MongoServerError,
  type Timestamp,
} from "mongodb";
import type { Clock } from "../../ports/clock.ts";
import type { CollectionDescription, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import { CatalogueChanged, type SnapshotSource, type SourceReading } from "../../ports/snapshot-source.ts";
import { firstReplaced, readCatalogue, sameCatalogue } from "./catalogue.ts";

/** Documents asked for at once, about 5 MiB of usual ones; a reply never passes 16 MiB. */
const batchSize = 5000;
/** Bytes handed on at once. */
const pieceBytes = 1_048_576;
const defaultServerSelectionTimeoutMs = 15_000;
/** Servers let go of a time that nobody begins to read at (the embedded engine after 300 s); going on with a cursor does not count. */
const holdMs = 60_000;
/** Times a moment is looked for at which nobody was changing collections. */
const beginningsMax = 5;

/** NotAReplicaSet, InvalidOptions, CommandNotSupported, CommandNotFound, NotImplemented, ReadConcernMajorityNotEnabled: this server has no snapshot reads. */
const noSnapshotReads: ReadonlySet<unknown> = new Set([123, 72, 115, 59, 238, 148]);

/** Reads deployments through the official driver: at one point in time in a snapshot session where the server can, labelled otherwise. */
export function createMongoSource(
  clock: Clock,
  serverSelectionTimeoutMs = defaultServerSelectionTimeoutMs,
): SnapshotSource {
  return {
    async open(connectionString, signal) {
      signal.throwIfAborted();
      // No read concern here: one of the client's own would take the place of the snapshot session's.
      const client = new MongoClient(connectionString, {
        serverSelectionTimeoutMS: serverSelectionTimeoutMs,
        appName: "telamon backup",
      });
      const abort = (): void => void client.close(true).catch(() => undefined);
      signal.addEventListener("abort", abort, { once: true });
      const close = async (): Promise<void> => {
        signal.removeEventListener("abort", abort);
        await client.close(true).catch(() => undefined);
      };
      try {
        await client.connect();
        return await openReading(client, clock, signal, close);
      } catch (error) {
        await close();
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}

interface Beginning {
  readonly collections: readonly CollectionDescription[];
  readonly session: ClientSession | undefined;
  readonly clusterTime: SnapshotFacts["clusterTime"];
  readonly capturedAtMs: number;
}

async function openReading(
  client: MongoClient,
  clock: Clock,
  signal: AbortSignal,
  close: () => Promise<void>,
): Promise<SourceReading> {
  const { version } = (await client.db("admin").command({ buildInfo: 1 })) as { readonly version?: unknown };
  const { collections, session, clusterTime, capturedAtMs } = await begin(client, clock, signal);
  const facts: SnapshotFacts = {
    ...(clusterTime === undefined ? { consistency: "best_effort" } : { consistency: "exact", clusterTime }),
    serverVersion: /^\d+\.\d+\.\d+/.exec(String(version))?.[0] ?? "0.0.0",
    capturedAtMs,
  };
  return {
    facts,
    collections,
    documents: (database, name) => readDocuments(client.db(database).collection(name), session, clock, signal),
    async confirmCatalogue() {
      const after = await readCatalogue(client);
      // Read at one time, what came later does not count; but a collection that is gone may have been read as empty.
      const replaced = firstReplaced(collections, after);
      if (replaced !== undefined)
        throw new CatalogueChanged(`${replaced.database}.${replaced.name} was dropped or replaced while it was read`);
      if (clusterTime === undefined && !sameCatalogue(collections, after))
        throw new CatalogueChanged("collections or indexes were changed while they were read");
    },
    async close() {
      await session?.endSession().catch(() => undefined);
      await close();
    },
  };
}

/** The catalogue cannot be read at the snapshot's time, so it is read right before and right after that time was fixed: when it is the same, it is the one of that time. */
async function begin(client: MongoClient, clock: Clock, signal: AbortSignal): Promise<Beginning> {
  let collections = await readCatalogue(client);
  for (let count = 0; count < beginningsMax; count += 1) {
    signal.throwIfAborted();
    const capturedAtMs = clock.nowMs();
    const { session, clusterTime } = await beginSnapshot(client, collections[0]);
    const after = await readCatalogue(client);
    if (sameCatalogue(collections, after)) return { collections, session, clusterTime, capturedAtMs };
    await session?.endSession();
    collections = after;
  }
  throw new CatalogueChanged(
    "collections or indexes are being changed all the time; no moment was found to read them at",
  );
}

/** A session whose reads all see one time; none when the server has no such sessions, or does as if it had and names no time. */
async function beginSnapshot(
  client: MongoClient,
  first: CollectionDescription | undefined,
): Promise<Pick<Beginning, "session" | "clusterTime">> {
  const session = client.startSession({ snapshot: true });
  try {
    // The first read fixes the time; one of a collection that is not there does as well.
    const collection = client.db(first?.database ?? "admin").collection(first?.name ?? "telamon.probe");
    await readOne(collection, session);
  } catch (error) {
    await session.endSession();
    const refused =
      error instanceof MongoCompatibilityError ||
      (error instanceof MongoServerError && noSnapshotReads.has(error.code));
    if (!refused) throw error;
    return { session: undefined, clusterTime: undefined };
  }
  // Not in the driver's types, though the one place where the time can be seen.
  const time = (session as unknown as { readonly snapshotTime?: Timestamp }).snapshotTime;
  if (time !== undefined)
    return { session, clusterTime: { seconds: time.getHighBitsUnsigned(), increment: time.getLowBitsUnsigned() } };
  await session.endSession();
  return { session: undefined, clusterTime: undefined };
}

/** Reads at the session's time: the first such read fixes it, any later one shows that it is still needed. */
async function readOne(collection: Collection, session: ClientSession): Promise<void> {
  await collection
    .find({}, { session, projection: { _id: 1 } })
    .limit(1)
    .toArray();
}

async function* readDocuments(
  collection: Collection,
  session: ClientSession | undefined,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const consistency = session === undefined ? {} : { session };
  const cursor = collection.find({}, { raw: true, sort: { _id: 1 }, batchSize, ...consistency });
  let parts: Uint8Array[] = [];
  let size = 0;
  let heldMs = clock.monotonicMs();
  try {
    while (await cursor.hasNext()) {
      signal.throwIfAborted();
      if (session !== undefined && clock.monotonicMs() - heldMs >= holdMs) {
        heldMs = clock.monotonicMs();
        await readOne(collection, session);
      }
      for (const document of cursor.readBufferedDocuments() as unknown[] as Uint8Array[]) {
        parts.push(document);
        size += document.length;
        if (size < pieceBytes) continue;
        // The documents are slices of the reply's buffer; joined they are ours.
        yield Buffer.concat(parts);
        parts = [];
        size = 0;
      }
    }
    // A cursor that was closed on this side says that there is nothing more, and that is not true.
    if (cursor.killed) throw new Error("the reading was closed before its end");
  } catch (error) {
    // What a closed client says is not why it was closed.
    signal.throwIfAborted();
    throw error;
  } finally {
    await cursor.close().catch(() => undefined);
  }
  if (size > 0) yield Buffer.concat(parts);
}
