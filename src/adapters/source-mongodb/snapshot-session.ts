import {
  type ClientSession,
  type Collection,
  type MongoClient,
  MongoCompatibilityError,
  MongoServerError,
  type Timestamp,
} from "mongodb";
import type { CollectionDescription, SnapshotFacts } from "../../ports/snapshot-repository.ts";

/** NotAReplicaSet, InvalidOptions, CommandNotSupported, CommandNotFound, NotImplemented, ReadConcernMajorityNotEnabled: this server has no snapshot reads. */
const noSnapshotReads: ReadonlySet<unknown> = new Set([123, 72, 115, 59, 238, 148]);

/** Both or neither. */
export interface SnapshotSession {
  readonly session: ClientSession | undefined;
  readonly clusterTime: SnapshotFacts["clusterTime"];
}

/** A session whose reads all see one time; none when the server has no such sessions, or does as if it had and names no time. */
export async function beginSnapshotSession(
  client: MongoClient,
  first: CollectionDescription | undefined,
): Promise<SnapshotSession> {
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
export async function readOne(collection: Collection, session: ClientSession): Promise<void> {
  await collection
    .find({}, { session, projection: { _id: 1 } })
    .limit(1)
    .toArray();
}
