import type { ClientSession, MongoClient } from "mongodb";
import type { Clock } from "../../ports/clock.ts";
import type { CollectionDescription, SnapshotFacts } from "../../ports/snapshot-repository.ts";
import { CatalogueChanged, type SnapshotSource, type SourceReading } from "../../ports/snapshot-source.ts";
import { documentsById } from "./documents-by-id.ts";
import { positionAt, readLog } from "./operation-log.ts";
import { firstReplaced, readCatalogue, sameCatalogue } from "./catalogue.ts";
import { type ConnectOptions, connectClient } from "./connect-client.ts";
import { type CaughtUp, catchUp, type ScratchDatabase } from "./log-catch-up.ts";
import { LogUnusable } from "./logged-writes.ts";
import { canReadLog, topologyOf, versionOf } from "./probe.ts";
import { createHold, pieceBytes, readDocuments } from "./read-documents.ts";
import { answersFromOneServer, readPages } from "./read-pages.ts";
import { beginSnapshotSession } from "./snapshot-session.ts";

const serverSelectionTimeoutMs = 15_000;
/** Times a moment is looked for at which nobody was changing collections. */
const beginningsMax = 5;

export interface MongoSourceOptions extends Partial<ConnectOptions> {
  /** Where a deployment is copied that can be brought to one point in time by its operation log alone; without it, it is read as best it can be. */
  readonly scratch?: ScratchDatabase;
}

/**
 * Reads deployments through the official driver: at one point in time in a snapshot session where the server can, else copied and brought to one by the operation log where that
 * can be read, else each collection as it is while it is read; labelled as what it was.
 */
export function createMongoSource(clock: Clock, options: MongoSourceOptions = {}): SnapshotSource {
  const { scratch, ...connecting } = options;
  return {
    async open(connectionString, signal) {
      const connected = await connectClient(connectionString, { serverSelectionTimeoutMs, ...connecting }, signal);
      try {
        return await openReading(connected.client, scratch, clock, signal, () => connected.close());
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
  scratch: ScratchDatabase | undefined,
  clock: Clock,
  signal: AbortSignal,
  close: () => Promise<void>,
): Promise<SourceReading> {
  const serverVersion = versionOf(await client.db("admin").command({ buildInfo: 1 }));
  const { collections, session, clusterTime, capturedAtMs } = await begin(client, clock, signal);
  if (session === undefined && scratch !== undefined) {
    const caughtUp = await tryToCatchUp(client, scratch, clock, signal);
    if (caughtUp !== undefined) return caughtUpReading(caughtUp, serverVersion, close);
  }
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
    async changesSince(position, wanted, mostOf, mostBytes) {
      if (clusterTime === undefined || session === undefined)
        return { unknown: "the source is not read at one point in time" };
      const hold = createHold(session, clock);
      const collection = client.db(wanted[0]?.database ?? "admin").collection(wanted[0]?.name ?? "telamon.probe");
      const onBatch = (): Promise<void> => hold(collection);
      return readLog({ client, position, until: clusterTime, collections: wanted, mostOf, mostBytes, signal, onBatch });
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

/** Undefined where there is no log that can be used. */
async function tryToCatchUp(
  client: MongoClient,
  scratch: ScratchDatabase,
  clock: Clock,
  signal: AbortSignal,
): Promise<CaughtUp | undefined> {
  const topology = topologyOf(await client.db("admin").command({ hello: 1 }));
  if (topology !== "replicaSet" || !(await canReadLog(client))) return undefined;
  try {
    return await catchUp(client, scratch, clock, signal);
  } catch (error) {
    if (error instanceof LogUnusable) return undefined;
    throw error;
  }
}

/** Everything has been read already; what becomes of the deployment meanwhile does not count. */
function caughtUpReading(caughtUp: CaughtUp, serverVersion: string, close: () => Promise<void>): SourceReading {
  const { collections, clusterTime, capturedAtMs } = caughtUp;
  return {
    facts: { consistency: "log_catch_up", clusterTime, serverVersion, capturedAtMs },
    collections,
    documents: (database, name) => caughtUp.documents(database, name),
    changesSince: async () => ({ unknown: "the source was copied and brought to one point in time" }),
    changedDocuments: () => {
      throw new Error("the source was copied, and what changed is not known");
    },
    confirmCatalogue: async () => undefined,
    async close() {
      await caughtUp.close();
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
