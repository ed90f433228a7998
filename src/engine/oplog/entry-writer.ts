import { arrayValue, buildDocument } from "../bson/builder.ts";
import { documentValue, int64Value, trueValue, type Value } from "../bson/value.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";
import type { ClusterTime } from "../engine.ts";
import type { Connection } from "../storage/database-file.ts";
import { differenceOf } from "./difference.ts";
import {
  entryOf,
  type EntrySession,
  idDocument,
  innerOperation,
  type Operation,
  operationHead,
  sessionHead,
} from "./entry.ts";
import { settingsOf } from "../catalog/collection-settings.ts";
import { Work } from "../steps.ts";
import { PreImageWriter } from "./pre-images.ts";
import { oplogNamespace } from "./namespace.ts";
import { rowIdOfTime, timeAfter } from "./time.ts";

/** Takes what a collection's writer did to documents. Documents have their `_id` first. */
export interface DocumentLog {
  inserted(document: Uint8Array): void;
  /** `whole`: another document was put in its place, instead of changes being made to it. */
  /** Each `undefined` is a good moment to give way to others. */
  replaced(before: Uint8Array, after: Uint8Array, whole: boolean): Iterable<undefined>;
  removed(document: Uint8Array): void;
}

/** Entries trimmed in one transaction at least, when the log is larger than it may be; else twice as many as were written, so that it shrinks. */
const trimmedMin = 100;

/** Writes entries of one write transaction into the log, each with a time of its own. */
export class EntryWriter {
  readonly #connection: Connection;
  readonly #wallMs: number;
  readonly #preImages: PreImageWriter;
  readonly #session: { readonly head: Uint8Array } | undefined;
  #time: ClusterTime;
  #previous: ClusterTime | undefined;
  #count = 0;
  #sizeBytes = 0;
  /** The statement of the command that is being done, for entries of retryable writes. */
  statementId: number | undefined = 0;
  #collected: Operation[] | undefined;

  /** `previous`: time of the session's entry before, under the same number. */
  constructor(
    connection: Connection,
    time: ClusterTime,
    wallMs: number,
    session: EntrySession | undefined,
    previous?: ClusterTime,
  ) {
    this.#previous = previous;
    this.#connection = connection;
    this.#preImages = new PreImageWriter(connection);
    this.#time = time;
    this.#wallMs = wallMs;
    this.#session = session === undefined ? undefined : { head: sessionHead(session) };
  }

  /** Time of the newest entry, or what it was before. */
  get time(): ClusterTime {
    return this.#time;
  }

  /** Time of the newest entry under the session's number. */
  get previous(): ClusterTime | undefined {
    return this.#previous;
  }

  get count(): number {
    return this.#count;
  }

  /** The log of a collection's documents; undefined for a database that is the server's own, which is not logged (manual, "The local Database"). */
  documentsOf({ database, name, uuid, options }: CollectionRecord): DocumentLog | undefined {
    if (database === oplogNamespace.database) return undefined;
    const namespace = `${database}.${name}`;
    const heads = new Map<"i" | "u" | "d", Uint8Array>();
    const headOf = (op: "i" | "u" | "d"): Uint8Array => {
      const head = heads.get(op) ?? operationHead(op, namespace, uuid);
      heads.set(op, head);
      return head;
    };
    const { keepsPreImages } = settingsOf({ options });
    const difference = new Work(({ before, after }: { readonly before: Uint8Array; readonly after: Uint8Array }) =>
      differenceOf(before, after),
    );
    const write = (operation: Operation): void => this.write(operation);
    const kept = (preImage: Uint8Array): Pick<Operation, "preImage"> => (keepsPreImages ? { preImage } : {});
    return {
      inserted: (document) => this.write({ head: headOf("i"), o: document, o2: idDocument(document) }),
      *replaced(before, after, whole) {
        const o = whole ? after : ((yield* difference.pausing({ before, after })) ?? after);
        write({ head: headOf("u"), o, o2: idDocument(before), ...kept(before) });
      },
      removed: (document) =>
        this.write({ head: headOf("d"), o: idDocument(document), o2: undefined, ...kept(document) }),
    };
  }

  /** A command on a database, as the log has it: `{create: ...}` and such. `ui` is the UUID of the collection that it is about. */
  command(database: string, ui: Uint8Array | undefined, o: Uint8Array, o2?: Uint8Array): void {
    if (database === oplogNamespace.database) return;
    this.write({ head: operationHead("c", `${database}.$cmd`, ui), o, o2 });
  }

  /** From now on operations are kept for entries of the whole transaction. */
  collect(): void {
    this.#collected = [];
    this.statementId = undefined;
  }

  /** Writes what was collected as `applyOps`, in several entries when one would be larger than a document may be (manual, "Oplog Size Limit"). */
  writeCollected(): void {
    const operations = this.#collected ?? [];
    this.#collected = undefined;
    const parts = inParts(operations.map(innerOperation));
    let done = 0;
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const fields: [string, Value][] = [["applyOps", arrayValue(part.map(documentValue))]];
      if (!isLast) fields.push(["partialTxn", trueValue]);
      else if (parts.length > 1) fields.push(["count", int64Value(BigInt(operations.length))]);
      this.write({ head: operationHead("c", "admin.$cmd", undefined), o: buildDocument(fields), o2: undefined });
      for (const [position] of part.entries()) {
        const preImage = operations[done + position]?.preImage;
        if (preImage !== undefined) this.#preImages.write(rowIdOfTime(this.#time), position, preImage);
      }
      done += part.length;
    }
  }

  write(operation: Operation): void {
    if (this.#collected !== undefined) {
      this.#collected.push(operation);
      return;
    }
    const time = this.advance();
    const session = this.#session;
    const place = { statementId: this.statementId, previous: this.#previous };
    const entry = entryOf(
      operation,
      time,
      this.#wallMs,
      session === undefined ? undefined : { head: session.head, place },
    );
    this.#connection.run("INSERT INTO c_0 (rid, d) VALUES (?, ?)", rowIdOfTime(time), entry);
    if (operation.preImage !== undefined) this.#preImages.write(rowIdOfTime(time), 0, operation.preImage);
    this.#previous = time;
    this.#count += 1;
    this.#sizeBytes += entry.length;
  }

  /** Takes the next time, for an entry or for a state without one. */
  advance(): ClusterTime {
    this.#time = timeAfter(this.#time, this.#wallMs);
    return this.#time;
  }

  /** Takes the oldest entries away when the log is larger than `maxBytes`, and so the oldest images, for which there is as much room again; writes the log's totals down. Answers the log's record as it now is. */
  finish(record: CollectionRecord, maxBytes: number): CollectionRecord {
    let { documentCount, dataSizeBytes } = record;
    documentCount += this.#count;
    dataSizeBytes += this.#sizeBytes;
    this.#preImages.finish(maxBytes);
    if (dataSizeBytes > maxBytes) {
      const [last, removed] = this.#oldest(Math.max(trimmedMin, 2 * this.#count), dataSizeBytes - maxBytes);
      documentCount -= removed.count;
      dataSizeBytes -= removed.sizeBytes;
      this.#connection.run("DELETE FROM c_0 WHERE rid <= ?", last);
      this.#preImages.dropThrough(last);
    }
    this.#connection.run(
      "UPDATE catalog SET document_count = ?, data_size = ? WHERE id = 0",
      documentCount,
      dataSizeBytes,
    );
    return { ...record, documentCount, dataSizeBytes };
  }

  /** The last of the oldest entries, at most so many, that hold as many bytes as are too much; the newest stays in any case. */
  #oldest(countMax: number, excessBytes: number): [number, { readonly count: number; readonly sizeBytes: number }] {
    let [last, count, sizeBytes] = [-1, 0, 0];
    for (const [rowId, length] of this.#connection.all(
      "SELECT rid, length(d) FROM c_0 WHERE rid < ? ORDER BY rid LIMIT ?",
      rowIdOfTime(this.#time),
      countMax,
    )) {
      if (sizeBytes >= excessBytes) break;
      last = Number(rowId);
      count += 1;
      sizeBytes += Number(length);
    }
    return [last, { count, sizeBytes }];
  }
}

/** Bytes of operations in one entry; the rest of 16 MiB is for the entry's own fields. */
const partMaxBytes = 16 * 1024 * 1024 - 16_384;

function inParts(operations: readonly Uint8Array[]): Uint8Array[][] {
  const parts: Uint8Array[][] = [];
  let sizeBytes = 0;
  for (const operation of operations) {
    // Type, name as a number, and its end.
    const needed = operation.length + 9;
    const part = parts.at(-1);
    if (part === undefined || sizeBytes + needed > partMaxBytes) {
      parts.push([operation]);
      sizeBytes = needed;
    } else {
      part.push(operation);
      sizeBytes += needed;
    }
  }
  return parts;
}
