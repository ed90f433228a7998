import { buildDocument } from "./bson/builder.ts";
import { int64Value } from "./bson/value.ts";
import { fieldsOf } from "./bson/walk.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { notSupported } from "./engine-error.ts";
import { isOplog } from "./oplog/namespace.ts";
import { timeOfRowId } from "./oplog/time.ts";
import type { StoredDocument } from "./planner/access.ts";
import { idFields } from "./planner/plan.ts";
import type { Connection } from "./storage/database-file.ts";
import { idKey, keyValues } from "./storage/index-keys.ts";
import { firstAddedRow } from "./transactions/overlay.ts";

/** Where documents were found: their rows, and the keys they were found by. Known as long as a document is held. */
export class FoundPlaces {
  readonly #places = new WeakMap<Uint8Array, StoredDocument>();
  readonly #connection: Connection;
  readonly #record: CollectionRecord;

  constructor(connection: Connection, record: CollectionRecord) {
    this.#connection = connection;
    this.#record = record;
  }

  note(stored: StoredDocument): void {
    this.#places.set(stored.bytes, stored);
  }

  /** The key that a document was found by, as a document; empty when it was found by none (manual, "cursor.returnKey()"). */
  keyOf(document: Uint8Array): Uint8Array {
    const { key, index } = this.#places.get(document) ?? {};
    if (key === undefined) return buildDocument([]);
    const fields = index?.fields ?? idFields;
    if (index?.wildcard !== undefined) throw notSupported("returnKey of a wildcard index");
    if (fields.some(({ hashed }) => hashed)) throw notSupported("returnKey of a hashed index");
    const values = keyValues(fields, document, key, index?.collation);
    return buildDocument(fields.map(({ path }, position) => [path.text, values[position] as (typeof values)[number]]));
  }

  /** `answer` with the `$recordId` of the document it was made of (manual, "cursor.showRecordId()"). */
  withRecordId(answer: Uint8Array, document: Uint8Array): Uint8Array {
    const rowId = this.#places.get(document)?.rowId ?? this.#rowOf(document);
    if (rowId !== undefined && rowId >= firstAddedRow && !isOplog(this.#record))
      throw notSupported("showRecordId of what the same transaction has written");
    const fields = Array.from(fieldsOf(answer), ({ name, value }) => [name, value] as const);
    return rowId === undefined ? answer : buildDocument([...fields, ["$recordId", int64Value(this.#recordId(rowId))]]);
  }

  /** For documents that were not held all the while. */
  #rowOf(document: Uint8Array): number | undefined {
    const row = this.#connection.get(`SELECT rid FROM c_${this.#record.id} WHERE k = ?`, idKey(document));
    return row === undefined ? undefined : Number(row[0]);
  }

  #recordId(rowId: number): bigint {
    if (!isOplog(this.#record)) return BigInt(rowId);
    // An entry's is its time (manual, "Replica Set Oplog").
    const { seconds, increment } = timeOfRowId(rowId);
    return (BigInt(seconds) << 32n) + BigInt(increment);
  }
}
