import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Collection, type MongoClient, MongoServerError, Timestamp } from "mongodb";
import type { CollectionDescription, LogPosition } from "../../ports/snapshot-repository.ts";
import type { LoggedChanges } from "../../ports/snapshot-source.ts";
import { ChangedIdSets } from "./changed-ids.ts";
import { readLogEntry, timeOf, UnknownEntry } from "./log-entry.ts";

type Time = Pick<LogPosition, "seconds" | "increment">;

/** Entries asked for at once; a reply never passes 16 MiB. */
const batchSize = 5000;

/** The newest entry of the operation log up to a time; undefined where there is no log that this user may read. */
export async function positionAt(client: MongoClient, time: Time): Promise<LogPosition | undefined> {
  try {
    const [entry] = (await logOf(client)
      .find({ ts: { $lte: timestampOf(time) } }, { raw: true })
      .sort({ $natural: -1 })
      .limit(1)
      .toArray()) as unknown[] as Uint8Array[];
    return entry === undefined ? undefined : positionOf(entry);
  } catch (error) {
    if (error instanceof MongoServerError) return undefined;
    throw error;
  }
}

/** Entries that are looked at before others get a turn: some milliseconds. */
const entriesPerTurn = 500;

export interface LogReading {
  readonly client: MongoClient;
  readonly position: LogPosition;
  /** Time of the last entry that counts. */
  readonly until: Time;
  readonly collections: readonly CollectionDescription[];
  /** Changed documents of a collection of which it is told which they are, at most; all when not said. */
  readonly mostOf: ((collection: CollectionDescription) => number) | undefined;
  /** Bytes of the log that are read, at most; all when not said. */
  readonly mostBytes: number | undefined;
  readonly signal: AbortSignal;
  /** Called now and then while the log is read. */
  readonly onBatch: () => Promise<void>;
}

/**
 * Reads the log from an entry to a time. That entry must be there and be the same, or this is another log (the source was restored, or set back by a fault), or what followed it
 * has been cut off; and it is the first that is read, so that nothing is cut off between a look and the reading. No more is read once too much changed in every collection.
 */
export async function readLog(reading: LogReading): Promise<LoggedChanges> {
  const { client, position, until, collections, mostOf, mostBytes = Number.POSITIVE_INFINITY, signal } = reading;
  const changed = new ChangedIdSets(collections, { mostOf });
  const cursor = logOf(client)
    .find({ ts: { $gte: timestampOf(position), $lte: timestampOf(until) } }, { raw: true, batchSize })
    .sort({ $natural: 1 });
  let isFound = false;
  let count = 0;
  let sizeBytes = 0;
  try {
    while (await cursor.hasNext()) {
      signal.throwIfAborted();
      await reading.onBatch();
      for (const entry of cursor.readBufferedDocuments() as unknown[] as Uint8Array[]) {
        if (isFound) readLogEntry(entry, position, (uuid, id) => changed.add(uuid, id));
        else if (isAt(entry, position)) isFound = true;
        else return { unknown: "the operation log does not reach back to the snapshot before" };
        count += 1;
        sizeBytes += entry.length;
        if (count % entriesPerTurn === 0) await nextTurn();
      }
      if (changed.isGivenUp) break;
      if (sizeBytes > mostBytes) return { unknown: "more was written since the snapshot before than there is to read" };
    }
    if (cursor.killed && !changed.isGivenUp) throw new Error("the reading was closed before its end");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UnknownEntry) return { unknown: `the operation log has ${error.message}` };
    // Most likely 136 CappedPositionLost: entries were cut off faster than they were read.
    if (error instanceof MongoServerError) return { unknown: `the operation log cannot be read: ${error.message}` };
    throw error;
  } finally {
    await cursor.close().catch(() => undefined);
  }
  if (!isFound) return { unknown: "the operation log does not reach back to the snapshot before" };
  return { of: (collection) => changed.of(collection) };
}

/** The primary's: another member's may end before the time that was read at. */
function logOf(client: MongoClient): Collection {
  return client.db("local").collection("oplog.rs", { readPreference: "primary" });
}

function positionOf(entry: Uint8Array): LogPosition | undefined {
  const time = timeOf(entry);
  return time === undefined ? undefined : { ...time, entryHash: createHash("sha256").update(entry).digest() };
}

function isAt(entry: Uint8Array, { seconds, increment, entryHash }: LogPosition): boolean {
  const found = positionOf(entry);
  return found?.seconds === seconds && found.increment === increment && Buffer.from(entryHash).equals(found.entryHash);
}

function timestampOf({ seconds, increment }: Time): Timestamp {
  return new Timestamp({ t: seconds, i: increment });
}
