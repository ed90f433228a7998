import { badValue, EngineError, located } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { compareBytes } from "../bson/bytes.ts";
import { documentValue, nullValue, type Value } from "../bson/value.ts";
import { fieldsOf, getField } from "../bson/walk.ts";
import { valueAtPath } from "../bson/path.ts";
import type { CollectionIndex, CollectionRecord } from "../catalog/catalog.ts";
import { settingsOf } from "../catalog/collection-settings.ts";
import { idIndexName } from "../catalog/clustered-index.ts";
import { idIndexBytes } from "../catalog/index-specification.ts";
import type { DocumentLog } from "../oplog/entry-writer.ts";
import type { Connection } from "./database-file.ts";
import { describeValue } from "./describe-value.ts";
import { Work } from "../steps.ts";
import { idKey, indexKeys, sharesKey } from "./index-keys.ts";

/** Largest document (manual, "MongoDB Limits"). */
export const documentSizeMaxBytes = 16 * 1024 * 1024;

/** A unique rule would be broken; nothing of the document was written. */
export class DuplicateKey extends EngineError {
  readonly keyPattern: Uint8Array;
  readonly keyValue: Uint8Array;

  constructor(message: string, keyPattern: Uint8Array, keyValue: Uint8Array) {
    super(11_000, "DuplicateKey", message);
    this.keyPattern = keyPattern;
    this.keyValue = keyValue;
  }
}

/** Asked before a document is written: one with the `_id`, and what is there; undefined for a new one. Throws when it must not be written now. */
export type WriteGuard = (document: Uint8Array, before: Uint8Array | undefined) => void;

/** Something done to a document; what is given in between is a good moment to give way, when it has very many keys. Not done before it is gone through. */
type Steps = Generator<undefined, void>;

/** Keys of one document after which is a good moment to give way. */
const stretchLength = 512;

/** Writes documents of one collection and keeps its indexes and totals, inside a write transaction. Checks come before writes, so that a refused document leaves nothing. */
export class CollectionWriter {
  readonly record: CollectionRecord;
  readonly #connection: Connection;
  readonly #log: DocumentLog | undefined;
  readonly #guard: WriteGuard | undefined;
  #count = 0;
  #size = 0;
  readonly #becameMultikey = new Set<number>();
  readonly #keys = new Work((document: Uint8Array) => this.#keysOf(document));

  /** Without `log` the operation log tells nothing of what is written. */
  constructor(connection: Connection, record: CollectionRecord, log?: DocumentLog, guard?: WriteGuard) {
    this.#guard = guard;
    this.#connection = connection;
    this.#log = log;
    this.record = record;
  }

  /** `document` has its `_id` first. Throws `DuplicateKey` and others. */
  *insertion(document: Uint8Array): Steps {
    refuseTooLarge(document);
    const { capped } = settingsOf(this.record);
    if (capped !== undefined && document.length > capped.sizeBytes)
      throw badValue(`object to insert exceeds cappedMaxSize: ${document.length} > ${capped.sizeBytes}`);
    const key = idKey(document);
    const keys = yield* this.#keys.pausing(document);
    if (this.#connection.get(`SELECT 1 FROM c_${this.record.id} WHERE k = ?`, key) !== undefined)
      throw this.#duplicate(undefined, document);
    yield* this.#refuseDuplicates(keys, document, undefined);
    this.#guard?.(document, undefined);
    yield* this.#addKeys(keys, this.#connection.insertDocument(this.record.id, key, document));
    this.#count += 1;
    this.#size += document.length;
    this.#log?.inserted(document);
    yield* this.#makeRoom();
  }

  /** In a capped collection the oldest documents go until the newest has room. Never the newest itself. */
  *#makeRoom(): Steps {
    const { capped } = settingsOf(this.record);
    if (capped === undefined) return;
    const { documents = Number.POSITIVE_INFINITY, sizeBytes } = capped;
    for (;;) {
      const count = this.record.documentCount + this.#count;
      if (count <= 1 || (count <= documents && this.record.dataSizeBytes + this.#size <= sizeBytes)) return;
      const oldest = this.#connection.get(`SELECT rid, d FROM c_${this.record.id} ORDER BY rid LIMIT 1`);
      if (oldest === undefined) return;
      yield* this.removal(Number(oldest[0]), oldest[1] as Uint8Array);
    }
  }

  /** Puts `after` in the place of `before`; both have the same `_id`. */
  *replacement(rowId: number, before: Uint8Array, after: Uint8Array, whole: boolean): Steps {
    refuseTooLarge(after);
    if (after.length !== before.length && settingsOf(this.record).capped !== undefined)
      throw located(
        10_003,
        `Cannot change the size of a document in a capped collection: ${before.length} != ${after.length}`,
      );
    const [oldKeys, newKeys] = [yield* this.#keys.pausing(before), yield* this.#keys.pausing(after)];
    const changes = oldKeys
      .map(({ index, keys }, position) => ({ index, old: keys, now: newKeys[position]?.keys ?? [] }))
      .filter(
        ({ old, now }) =>
          old.length !== now.length ||
          old.some((key, position) => compareBytes(key, now[position] as Uint8Array) !== 0),
      );
    yield* this.#refuseDuplicates(
      changes.map(({ index, now }) => ({ index, keys: now })),
      after,
      rowId,
    );
    this.#guard?.(before, before);
    this.#connection.run(`UPDATE c_${this.record.id} SET k = ?, d = ? WHERE rid = ?`, idKey(after), after, rowId);
    for (const { index, old } of changes) yield* this.#removeKeys(index, old, rowId);
    yield* this.#addKeys(
      changes.map(({ index, now }) => ({ index, keys: now })),
      rowId,
    );
    this.#size += after.length - before.length;
    if (this.#log !== undefined) yield* this.#log.replaced(before, after, whole);
  }

  *removal(rowId: number, document: Uint8Array): Steps {
    this.#guard?.(document, document);
    for (const { index, keys } of yield* this.#keys.pausing(document)) yield* this.#removeKeys(index, keys, rowId);
    this.#connection.run(`DELETE FROM c_${this.record.id} WHERE rid = ?`, rowId);
    this.#count -= 1;
    this.#size -= document.length;
    this.#log?.removed(document);
  }

  /** Fills a new index from what the collection holds. */
  *indexing(index: CollectionIndex, rowId: number, document: Uint8Array): Steps {
    const keys = yield* new Work((bytes: Uint8Array) => indexKeys(index, bytes)).pausing(document);
    if (index.unique) yield* this.#refuseDuplicates([{ index, keys }], document, rowId);
    yield* this.#addKeys([{ index, keys }], rowId);
  }

  /** Writes the totals down and answers the record as it now is. */
  finish(): CollectionRecord {
    const { record } = this;
    if (this.#count !== 0 || this.#size !== 0) {
      this.#connection.run(
        "UPDATE catalog SET document_count = document_count + ?, data_size = data_size + ? WHERE id = ?",
        this.#count,
        this.#size,
        record.id,
      );
    }
    for (const id of this.#becameMultikey)
      this.#connection.run("UPDATE index_specification SET multikey = 1 WHERE id = ?", id);
    return this.current;
  }

  /** The record as it is with what was written so far: reads of the same transaction must plan by it, since the first array in an index changes what ranges of its keys mean. */
  get current(): CollectionRecord {
    const { record } = this;
    const indexes =
      this.#becameMultikey.size === 0
        ? record.indexes
        : record.indexes.map((index) => (this.#becameMultikey.has(index.id) ? { ...index, multikey: true } : index));
    return {
      ...record,
      documentCount: record.documentCount + this.#count,
      dataSizeBytes: record.dataSizeBytes + this.#size,
      indexes,
    };
  }

  #keysOf(document: Uint8Array): { readonly index: CollectionIndex; readonly keys: readonly Uint8Array[] }[] {
    return this.record.indexes.map((index) => ({ index, keys: indexKeys(index, document) }));
  }

  *#removeKeys(index: CollectionIndex, keys: readonly Uint8Array[], rowId: number): Steps {
    for (const [position, key] of keys.entries()) {
      this.#connection.run(`DELETE FROM x_${index.id} WHERE k = ? AND rid = ?`, key, rowId);
      if (position % stretchLength === stretchLength - 1) yield undefined;
    }
  }

  *#refuseDuplicates(
    all: readonly { readonly index: CollectionIndex; readonly keys: readonly Uint8Array[] }[],
    document: Uint8Array,
    except: number | undefined,
  ): Steps {
    for (const { index, keys } of all) {
      if (!index.unique && !index.prepareUnique) continue;
      if (index.collation !== undefined) {
        if (yield* this.#isTaken(index, keys, document, except ?? -1)) throw this.#duplicate(index, document);
        continue;
      }
      for (const [position, key] of keys.entries()) {
        if (position % stretchLength === stretchLength - 1) yield undefined;
        const taken = this.#connection.get(`SELECT 1 FROM x_${index.id} WHERE k = ? AND rid <> ?`, key, except ?? -1);
        if (taken !== undefined) throw this.#duplicate(index, document);
      }
    }
  }

  /** Whether one of the documents with one of the keys is equal by the index's collation, which writes some texts alike that are not. */
  *#isTaken(
    index: CollectionIndex,
    keys: readonly Uint8Array[],
    document: Uint8Array,
    except: number,
  ): Generator<undefined, boolean> {
    const shares = new Work((other: Uint8Array) => sharesKey(index, document, other));
    const seen = new Set([except]);
    for (const key of keys) {
      yield undefined;
      for (let last = Number.MIN_SAFE_INTEGER; ;) {
        const row = this.#connection.get(
          `SELECT rid FROM x_${index.id} WHERE k = ? AND rid > ? ORDER BY rid LIMIT 1`,
          key,
          last,
        );
        if (row === undefined) break;
        last = Number(row[0]);
        if (seen.has(last)) continue;
        seen.add(last);
        const other = this.#connection.get(`SELECT d FROM c_${this.record.id} WHERE rid = ?`, last)?.[0] as Uint8Array;
        if (yield* shares.pausing(other)) return true;
        yield undefined;
      }
    }
    return false;
  }

  *#addKeys(
    all: readonly { readonly index: CollectionIndex; readonly keys: readonly Uint8Array[] }[],
    rowId: number,
  ): Steps {
    for (const { index, keys } of all) {
      for (const [position, key] of keys.entries()) {
        this.#connection.run(`INSERT INTO x_${index.id} (k, rid) VALUES (?, ?)`, key, rowId);
        if (position % stretchLength === stretchLength - 1) yield undefined;
      }
      if (keys.length > 1 && !index.multikey) this.#becameMultikey.add(index.id);
    }
  }

  #duplicate(index: CollectionIndex | undefined, document: Uint8Array): DuplicateKey {
    const name = index?.name ?? idIndexName(this.record);
    const pattern = index?.key ?? (getField(idIndexBytes, "key") as Value).bytes();
    const paths = index?.fields.map((field) => field.path);
    const values: [string, Value][] =
      paths === undefined
        ? [["_id", getField(document, "_id") ?? nullValue]]
        : paths.map((path) => [path.text, valueAtPath(document, path) ?? nullValue]);
    const keyValue = buildDocument(values);
    const shown = [...fieldsOf(keyValue)]
      .map(({ name: field, value }) => `${field}: ${describeValue(value)}`)
      .join(", ");
    const message = `E11000 duplicate key error collection: ${this.record.database}.${this.record.name} index: ${name} dup key: { ${shown} }`;
    return new DuplicateKey(message, documentValue(pattern).bytes(), keyValue);
  }
}

/** The type and the name `_id`. */
const idHeadLength = 5;

/** `_id` moved first, as MongoDB stores documents; all other bytes as they came. */
export function withIdFirst(document: Uint8Array): Uint8Array {
  const id = getField(document, "_id");
  // Its type and name stand before it, after the length of the document.
  if (id === undefined || id.start === 4 + idHeadLength) return document;
  const moved = new Uint8Array(document.length);
  const [from, length] = [id.start - idHeadLength, id.end - id.start + idHeadLength];
  moved.set(document.subarray(0, 4));
  moved.set(document.subarray(from, from + length), 4);
  moved.set(document.subarray(4, from), 4 + length);
  moved.set(document.subarray(from + length), from + length);
  return moved;
}

/** Throws 10334 for a document that is larger than one may be. */
export function refuseTooLarge(document: Uint8Array): Uint8Array {
  if (document.length > documentSizeMaxBytes)
    throw new EngineError(
      10_334,
      "BSONObjectTooLarge",
      `BSONObj size: ${document.length} is invalid. Size must be between 0 and ${documentSizeMaxBytes}`,
    );
  return document;
}
