import { type Collection, type Document, Timestamp } from "mongodb";
import {
  bsonType,
  buildDocument,
  elementsOf,
  fieldsOf,
  getField,
  int64Of,
  isTruthy,
  textOf,
  type Value,
} from "../../engine/index.ts";
import type { LoggedWrite } from "../../ports/deployment-host.ts";
import { CatalogueChanged } from "../../ports/snapshot-source.ts";

/** The operation log cannot tell what happened: it does not reach back far enough, or has an entry that is not understood. The message says which, in a few words. */
export class LogUnusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LogUnusable";
  }
}

/** `applyOps` within `applyOps`, at most: none has been seen that went deeper than one. */
const depthMax = 8;

/**
 * What entries of `local.oplog.rs` do to documents of some collections (the format is that of MongoDB since 3.6 and of the embedded engine). Transactions count where they become
 * true: what their earlier entries hold is looked up in the log, wherever it lies.
 */
export class LoggedWrites {
  readonly #log: Collection;
  readonly #names: ReadonlySet<string>;

  /** `names` are `database.collection`; what happens to others is passed over. */
  constructor(log: Collection, names: ReadonlySet<string>) {
    this.#log = log;
    this.#names = names;
  }

  /** In order, a part of a transaction at a time. Throws `CatalogueChanged` for a change of collections or indexes, `LogUnusable` for what is not understood. */
  async *of(entry: Uint8Array): AsyncIterable<readonly LoggedWrite[]> {
    const command = opOf(entry) === "c" ? documentIn(entry, "o") : undefined;
    const [first] = command === undefined ? [] : fieldsOf(command);
    if (command === undefined || (first?.name !== "applyOps" && !endsTransaction(first?.name))) {
      yield this.#writesOf(entry, 0);
      return;
    }
    // Of a transaction that is not finished: it counts with the entry that finishes it, or never.
    if (first?.name === "abortTransaction" || isTold(command, "partialTxn") || isTold(command, "prepare")) return;
    const isCommit = first?.name === "commitTransaction";
    for (const at of await this.#earlierOf(entry, isCommit)) {
      const part = await this.#entryAt(at, {});
      if (part === undefined) throw beginningGone();
      yield this.#writesOf(part, 0);
    }
    if (!isCommit) yield this.#writesOf(entry, 0);
  }

  /** Times of the entries of the same transaction before this one, in order. */
  async #earlierOf(entry: Uint8Array, isCommit: boolean): Promise<readonly Timestamp[]> {
    const times: Timestamp[] = [];
    let isNeeded = isCommit;
    for (let at = previousOf(entry); at !== undefined;) {
      const found = await this.#entryAt(at, { op: 1, prevOpTime: 1, "o.partialTxn": 1, "o.prepare": 1 });
      // The entry before a retried write is of no interest, and may be gone.
      if (found === undefined && !isNeeded && times.length === 0) return [];
      if (found === undefined) throw beginningGone();
      const command = opOf(found) === "c" ? documentIn(found, "o") : undefined;
      const isPart =
        command !== undefined && (isTold(command, "partialTxn") || (isNeeded && isTold(command, "prepare")));
      if (!isPart && isNeeded) throw beginningGone();
      if (!isPart) return times;
      isNeeded = false;
      times.unshift(at);
      at = previousOf(found);
    }
    if (isNeeded) throw beginningGone();
    return times;
  }

  async #entryAt(at: Timestamp, projection: Document): Promise<Uint8Array | undefined> {
    const found = await this.#log
      .find({ ts: { $gte: at, $lte: at } }, { raw: true, projection })
      .limit(1)
      .toArray();
    return (found as unknown[] as Uint8Array[])[0];
  }

  #writesOf(operation: Uint8Array, depth: number): readonly LoggedWrite[] {
    const op = opOf(operation);
    if (op === "n") return [];
    const namespace = textIn(operation, "ns");
    const dot = namespace.indexOf(".");
    const [database, name] = [namespace.slice(0, dot), namespace.slice(dot + 1)];
    if (op === "c") return this.#commandWrites(database, documentIn(operation, "o"), depth);
    if (!this.#names.has(namespace)) return [];
    const o = documentIn(operation, "o");
    if (op === "i") return [{ database, name, kind: "put", id: idOf(o), o }];
    if (op === "d") return [{ database, name, kind: "delete", id: idOf(o), o: undefined }];
    if (op !== "u") throw new LogUnusable(`an operation ${op} is not understood`);
    const id = idOf(documentIn(operation, "o2"));
    if (!isChange(o)) return [{ database, name, kind: "put", id, o: withId(o, id) }];
    return [{ database, name, kind: "change", id, o }];
  }

  #commandWrites(database: string, command: Uint8Array, depth: number): readonly LoggedWrite[] {
    const [first] = fieldsOf(command);
    if (first?.name === "applyOps" && first.value.type === bsonType.array && depth < depthMax)
      return elementsOf(first.value).flatMap((value) => this.#writesOf(value.bytes(), depth + 1));
    if (database === "local" || database === "config") return [];
    throw new CatalogueChanged(
      `collections or indexes were changed while they were read (${first?.name ?? "unknown"})`,
    );
  }
}

function endsTransaction(command: string | undefined): boolean {
  return command === "commitTransaction" || command === "abortTransaction";
}

function beginningGone(): LogUnusable {
  return new LogUnusable("the beginning of a transaction is not in the operation log any more, or is not understood");
}

/** Time of an entry. */
export function timeOf(entry: Uint8Array): Timestamp {
  const value = getField(entry, "ts");
  if (value?.type !== bsonType.timestamp) throw new LogUnusable("an entry has no time");
  return timestampOf(value);
}

function timestampOf(value: Value): Timestamp {
  return Timestamp.fromBits(Number(int64Of(value) & 0xffff_ffffn), Number((int64Of(value) >> 32n) & 0xffff_ffffn));
}

/** The entry before of the same session; undefined for the first. */
function previousOf(entry: Uint8Array): Timestamp | undefined {
  const previous = getField(entry, "prevOpTime");
  const time = previous?.type === bsonType.object ? getField(previous.bytes(), "ts") : undefined;
  if (time?.type !== bsonType.timestamp) return undefined;
  const timestamp = timestampOf(time);
  return timestamp.isZero() ? undefined : timestamp;
}

/** Whether an update's `o` says what changed, instead of being the document. */
function isChange(o: Uint8Array): boolean {
  const [first] = fieldsOf(o);
  return first?.name === "$v" || first?.name === "$set" || first?.name === "$unset";
}

function withId(o: Uint8Array, id: Uint8Array): Uint8Array {
  if (getField(o, "_id") !== undefined) return o;
  return buildDocument([...fieldsOf(id), ...fieldsOf(o)].map(({ name, value }) => [name, value] as const));
}

function idOf(document: Uint8Array): Uint8Array {
  const id = getField(document, "_id");
  if (id === undefined) throw new LogUnusable("an operation names no _id");
  return buildDocument([["_id", id]]);
}

function opOf(entry: Uint8Array): string {
  return textIn(entry, "op");
}

function textIn(document: Uint8Array, name: string): string {
  const value = getField(document, name);
  return value?.type === bsonType.string ? textOf(value) : "";
}

function documentIn(document: Uint8Array, name: string): Uint8Array {
  const value = getField(document, name);
  if (value?.type !== bsonType.object) throw new LogUnusable(`an entry has no ${name}`);
  return value.bytes();
}

function isTold(command: Uint8Array, name: string): boolean {
  const value = getField(command, name);
  return value !== undefined && isTruthy(value);
}
