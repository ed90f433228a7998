import type { ClientSession, Db, Document, MongoClient } from "mongodb";
import { elementsOf } from "../../shared/bson-element.ts";
import { topologyOf } from "./probe.ts";

/** Bytes of documents that are asked for at once, about; a reply never passes 16 MiB. */
const pageTargetBytes = 4_194_304;
/** Documents asked for at first, before it is known how large they are. */
const firstPageDocuments = 1000;
const pageDocumentsMax = 100_000;

export interface PagesToRead {
  readonly database: Db;
  readonly name: string;
  readonly session: ClientSession;
  readonly signal: AbortSignal;
  /** Bytes handed on at once, about. */
  readonly pieceBytes: number;
  /** Called between pieces. */
  readonly onPiece: () => Promise<void>;
}

interface Page {
  /** Of the server's cursor; 0 when there is nothing more. */
  readonly cursorId: bigint;
  /** Whole documents one behind the other. */
  readonly documents: Buffer;
  readonly documentCount: number;
}

/** Whether one server answers all commands, so that a cursor is found again without the driver's knowing of it. */
export async function answersFromOneServer(client: MongoClient): Promise<boolean> {
  if (client.options.directConnection) return true;
  return (
    client.readPreference.mode === "primary" &&
    topologyOf(await client.db("admin").command({ hello: 1 })) === "replicaSet"
  );
}

/**
 * Every document of a collection in `_id` order, a page at a time, by commands whose replies stay bytes: the driver's cursors make an object of every document, which costs more than all
 * that is done with them here. The next page is on its way while one is used, and not the one after.
 */
export async function* readPages(toRead: PagesToRead): AsyncGenerator<Uint8Array> {
  const { database, name, session, signal } = toRead;
  const ask = async (command: Document): Promise<Page> =>
    pageOf(await database.command(command, { session, raw: true }));
  let page: Page | undefined;
  let next: Promise<Page> | undefined;
  try {
    page = await ask({ find: name, sort: { _id: 1 }, batchSize: firstPageDocuments });
    for (;;) {
      const { cursorId, documents } = page;
      if (cursorId !== 0n) {
        next = ask({ getMore: cursorId, collection: name, batchSize: nextPageDocuments(page) });
        // Seen where it is awaited.
        next.catch(() => undefined);
      }
      for (const piece of piecesOf(documents, toRead.pieceBytes)) {
        signal.throwIfAborted();
        yield piece;
        await toRead.onPiece();
      }
      if (next === undefined) return;
      page = await next;
      next = undefined;
    }
  } catch (error) {
    // What a closed client says is not why it was closed.
    signal.throwIfAborted();
    throw error;
  } finally {
    const last = await next?.catch(() => undefined);
    const cursorId = (last ?? page)?.cursorId ?? 0n;
    if (cursorId !== 0n)
      await database.command({ killCursors: name, cursors: [cursorId] }, { session }).catch(() => undefined);
  }
}

function nextPageDocuments({ documents, documentCount }: Page): number {
  const meanBytes = documents.length / Math.max(1, documentCount);
  return Math.max(1, Math.min(pageDocumentsMax, Math.floor(pageTargetBytes / Math.max(1, meanBytes))));
}

/** Takes the reply's memory. */
function pageOf({ cursor }: Document): Page {
  if (!Buffer.isBuffer(cursor)) throw new Error("the driver did not leave a reply as it came");
  let cursorId: bigint | undefined;
  let batch: Buffer | undefined;
  for (const { name, type, valueStart, end } of elementsOf(cursor)) {
    if (name === "id" && type === 0x12) cursorId = cursor.readBigInt64LE(valueStart);
    if ((name === "firstBatch" || name === "nextBatch") && type === 0x04) batch = cursor.subarray(valueStart, end);
  }
  if (cursorId === undefined || batch === undefined) throw new Error("a server's reply holds no cursor");
  return { cursorId, ...movedTogether(batch) };
}

/** Moves the documents of a BSON array to its beginning, one behind the other without what stands between them. */
function movedTogether(batch: Buffer): Pick<Page, "documents" | "documentCount"> {
  const last = batch.length - 1;
  let size = 0;
  let documentCount = 0;
  for (let position = 4; position < last;) {
    const start = batch.indexOf(0, position + 1) + 1;
    const end = start + (start > 0 && start + 4 <= last ? batch.readInt32LE(start) : -1);
    if (batch[position] !== 0x03 || end < start + 5 || end > last)
      throw new Error("a server's reply holds no documents");
    batch.copyWithin(size, start, end);
    size += end - start;
    documentCount += 1;
    position = end;
  }
  return { documents: batch.subarray(0, size), documentCount };
}

function* piecesOf(documents: Buffer, pieceBytes: number): Generator<Uint8Array> {
  let start = 0;
  for (let position = 0; position < documents.length;) {
    position += documents.readInt32LE(position);
    if (position - start < pieceBytes && position < documents.length) continue;
    yield documents.subarray(start, position);
    start = position;
  }
}
