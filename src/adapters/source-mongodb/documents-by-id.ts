import { BSON, type ClientSession, type Collection, type Document } from "mongodb";
import { IncrementRefused } from "../../ports/snapshot-repository.ts";

/** `_id`s asked for at once, and bytes of them. */
const idsAtOnce = 1000;
const idBytesAtOnce = 262_144;
/** Documents in a reply. */
const batchSize = 5000;

/** Documents that have one of these `_id`s, in `_id` order; `ids` are in that order, elements each. Throws `IncrementRefused` for an `_id` that the driver cannot say as it is. */
export async function* documentsById(
  collection: Collection,
  ids: readonly Uint8Array[],
  session: ClientSession,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const batch of batches(ids)) {
    signal.throwIfAborted();
    const cursor = collection.find({ _id: { $in: batch.map(valueOf) } } as Document, {
      raw: true,
      sort: { _id: 1 },
      batchSize,
      session,
    });
    try {
      while (await cursor.hasNext()) {
        signal.throwIfAborted();
        // The documents are slices of the reply's buffer; joined they are ours.
        yield Buffer.concat(cursor.readBufferedDocuments() as unknown[] as Uint8Array[]);
      }
      if (cursor.killed) throw new Error("the reading was closed before its end");
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await cursor.close().catch(() => undefined);
    }
  }
}

function* batches(ids: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let batch: Uint8Array[] = [];
  let sizeBytes = 0;
  for (const id of ids) {
    if (batch.length >= idsAtOnce || (batch.length > 0 && sizeBytes + id.length > idBytesAtOnce)) {
      yield batch;
      batch = [];
      sizeBytes = 0;
    }
    batch.push(id);
    sizeBytes += id.length;
  }
  if (batch.length > 0) yield batch;
}

function valueOf(id: Uint8Array): unknown {
  const frame = Buffer.alloc(5);
  const document = Buffer.concat([frame.subarray(0, 4), id, frame.subarray(4)]);
  document.writeInt32LE(document.length, 0);
  const { _id: value } = BSON.deserialize(document, { promoteValues: false, bsonRegExp: true });
  // Not so for names given twice or names that are numbers, invalid UTF-8, dates that Date does not have: others would be asked for.
  if (!document.equals(BSON.serialize({ _id: value })))
    throw new IncrementRefused("a document with an _id that cannot be asked for changed");
  return value;
}
