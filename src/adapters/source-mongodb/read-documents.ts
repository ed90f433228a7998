import type { ClientSession, Collection } from "mongodb";
import type { Clock } from "../../ports/clock.ts";
import { readOne } from "./snapshot-session.ts";

/** Documents asked for at once, about 5 MiB of usual ones; a reply never passes 16 MiB. */
const batchSize = 5000;
/** Bytes handed on at once. */
export const pieceBytes = 1_048_576;
/** Servers let go of a time that nobody begins to read at (the embedded engine after 300 s); going on with a cursor does not count. */
const holdMs = 60_000;

/** Reads something at the session's time when nothing was for a while. */
export function createHold(
  session: ClientSession | undefined,
  clock: Clock,
): (collection: Collection) => Promise<void> {
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
