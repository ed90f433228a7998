import type { ClientSession, Collection, MongoClient } from "mongodb";
import type { Clock } from "../../ports/clock.ts";
import type { CollectionDescription, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import { CatalogueChanged, type SnapshotSource, type SourceReading } from "../../ports/snapshot-source.ts";
import { documentsById } from "./documents-by-id.ts";
import { positionAt, readLog } from "./operation-log.ts";
import { firstReplaced, readCatalogue, sameCatalogue } from "./catalogue.ts";
import { type ConnectOptions, connectClient } from "./connect-client.ts";
import { topologyOf, versionOf } from "./probe.ts";
import { answersFromOneServer, readPages } from "./read-pages.ts";
import { beginSnapshotSession, readOne } from "./snapshot-session.ts";

/** Documents asked for at once, about 5 MiB of usual ones; a reply never passes 16 MiB. */
const batchSize = 5000;
/** Bytes handed on at once. */
const pieceBytes = 1_048_576;
const serverSelectionTimeoutMs = 15_000;
/** Servers let go of a time that nobody begins to read at (the embedded engine after 300 s); going on with a cursor does not count. */
const holdMs = 60_000;
/** Times a moment is looked for at which nobody was changing collections. */
const beginningsMax = 5;

/** Reads deployments through the official driver: at one point in time in a snapshot session where the server can, labelled otherwise. */
export function createMongoSource(clock: Clock, options: Partial<ConnectOptions> = {}): SnapshotSource {
  return {
    async open(connectionString, signal) {
      const connected = await connectClient(connectionString, { serverSelectionTimeoutMs, ...options }, signal);
      try {
        return await openReading(connected.client, clock, signal, () => connected.close());
      } catch (error) {
        await connected.close();
        signal.throwIfAborted();
        throw connected.explain(error);
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
  const serverVersion = versionOf(await client.db("admin").command({ buildInfo: 1 }));
  const { collections, session, clusterTime, capturedAtMs } = await begin(client, clock, signal);
  const inPages = session !== undefined && (await answersFromOneServer(client));
  const logPosition = clusterTime === undefined ? undefined : await logPositionAt(client, clusterTime);
  const facts: SnapshotFacts = {
    ...(clusterTime === undefined ? { consistency: "best_effort" } : { consistency: "exact", clusterTime }),
    ...(logPosition === undefined ? {} : { logPosition }),
    serverVersion,
    capturedAtMs,
  };
  return {
    facts,
    collections,
    documents(database, name) {
      const collection = client.db(database).collection(name);
      if (session === undefined || !inPages) return readDocuments(collection, session, clock, signal);
      const hold = createHold(session, clock);
      const onPiece = (): Promise<void> => hold(collection);
      return readPages({ database: client.db(database), name, session, signal, pieceBytes, onPiece });
    },
    async changesSince(position, wanted) {
      if (clusterTime === undefined || session === undefined)
        return { unknown: "the source is not read at one point in time" };
      const hold = createHold(session, clock);
      const collection = client.db(wanted[0]?.database ?? "admin").collection(wanted[0]?.name ?? "telamon.probe");
      const onBatch = (): Promise<void> => hold(collection);
      return readLog({ client, position, until: clusterTime, collections: wanted, signal, onBatch });
    },
    changedDocuments(database, name, ids) {
      if (session === undefined) throw new Error("the source is not read at one point in time");
      return { ids, documents: documentsById(client.db(database).collection(name), ids, session, signal) };
    },
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
    const { session, clusterTime } = await beginSnapshotSession(client, collections[0]);
    const after = await readCatalogue(client);
    if (sameCatalogue(collections, after)) return { collections, session, clusterTime, capturedAtMs };
    await session?.endSession();
    collections = after;
  }
  throw new CatalogueChanged(
    "collections or indexes are being changed all the time; no moment was found to read them at",
  );
}

/** Behind mongos and balancers there are several logs, or none that can be told which. */
async function logPositionAt(
  client: MongoClient,
  clusterTime: NonNullable<SnapshotFacts["clusterTime"]>,
): Promise<SnapshotFacts["logPosition"]> {
  const topology = topologyOf(await client.db("admin").command({ hello: 1 }));
  return topology === "replicaSet" ? positionAt(client, clusterTime) : undefined;
}

/** Reads something at the session's time when nothing was for a while. */
function createHold(session: ClientSession | undefined, clock: Clock): (collection: Collection) => Promise<void> {
  let heldMs = clock.monotonicMs();
  return async (collection) => {
    if (session === undefined || clock.monotonicMs() - heldMs < holdMs) return;
    heldMs = clock.monotonicMs();
    await readOne(collection, session);
  };
}

/** Every document of a collection in `_id` order, in pieces of about 1 MiB of whole documents. */
export async function* readDocuments(
  collection: Collection,
  session: ClientSession | undefined,
  clock: Clock,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const consistency = session === undefined ? {} : { session };
  const cursor = collection.find({}, { raw: true, sort: { _id: 1 }, batchSize, ...consistency });
  let parts: Uint8Array[] = [];
  let size = 0;
  const hold = createHold(session, clock);
  try {
    while (await cursor.hasNext()) {
      signal.throwIfAborted();
      await hold(collection);
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
