import { EngineError } from "./engine-error.ts";
import { buildDocument, emptyDocument } from "./bson/builder.ts";
import { equalValues } from "./bson/compare.ts";
import { documentValue, int32Value, int64Value, stringValue } from "./bson/value.ts";
import { fieldsOf } from "./bson/walk.ts";
import { type Catalog, type CollectionRecord, emptyRecord } from "./catalog/catalog.ts";
import { settingsOf } from "./catalog/collection-settings.ts";
import { isClustered } from "./catalog/clustered-index.ts";
import { idIndexBytes } from "./catalog/index-specification.ts";
import { checkNamespace, namespaceNotFound } from "./catalog/names.ts";
import { isView, refuseView } from "./catalog/views.ts";
import type { Namespace } from "./engine.ts";
import type { WriteTransaction } from "./write-transaction.ts";

type Stored = Pick<WriteTransaction, "connection" | "log" | "catalog">;

/** Throws 73 InvalidNamespace for what is no name, and 48 NamespaceExists for one that is taken. */
export function requireFree(catalog: Catalog, namespace: Namespace): void {
  checkNamespace(namespace);
  if (catalog.find(namespace) !== undefined)
    throw new EngineError(
      48,
      "NamespaceExists",
      `Collection ${namespace.database}.${namespace.collection} already exists.`,
    );
}

/**
 * Makes a collection or a view; one that is there already is made again in silence when its options are the same, as `create` does outside of transactions. Throws 48
 * NamespaceExists for other options, 73 InvalidNamespace.
 */
export function createUnlessThere(
  transaction: WriteTransaction,
  namespace: Namespace,
  options: Uint8Array,
  { uuid, mustBeNew }: { readonly uuid: Uint8Array | undefined; readonly mustBeNew: boolean },
): void {
  const record = transaction.catalog.find(namespace);
  if (record === undefined || mustBeNew || uuid !== undefined) {
    transaction.createCollection(namespace, options, uuid);
    return;
  }
  if (equalValues(documentValue(sortedFields(record.options)), documentValue(sortedFields(options)))) return;
  throw new EngineError(
    48,
    "NamespaceExists",
    `namespace ${namespace.database}.${namespace.collection} already exists, but with different options`,
  );
}

function sortedFields(document: Uint8Array): Uint8Array {
  const fields = Array.from(fieldsOf(document), ({ name, value }) => [name, value] as const);
  return buildDocument(fields.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The collection, made when missing. Throws 166 CommandNotSupportedOnView. */
export function ensureCollection(transaction: WriteTransaction, namespace: Namespace): CollectionRecord {
  const record = transaction.catalog.find(namespace);
  refuseView(record);
  return record ?? transaction.createCollection(namespace, emptyDocument);
}

/** A collection that must be there and be stored. Throws 26 NamespaceNotFound, 166 CommandNotSupportedOnView. */
export function storedCollection(catalog: Catalog, namespace: Namespace): CollectionRecord {
  const record = catalog.find(namespace);
  if (record === undefined) throw namespaceNotFound(namespace);
  refuseView(record);
  return record;
}

/** Makes a collection in the file. Throws 48 and 73. */
export function storeCollection(
  transaction: Stored,
  namespace: Namespace,
  options: Uint8Array,
  uuid: Uint8Array,
): CollectionRecord {
  requireFree(transaction.catalog, namespace);
  const { lastRowId } = transaction.connection.run(
    "INSERT INTO catalog (database, name, options, uuid) VALUES (?, ?, ?, ?)",
    namespace.database,
    namespace.collection,
    options,
    uuid,
  );
  // Where a cursor stood in a capped collection must not be another document's place later on.
  const numbers = settingsOf({ options }).capped === undefined ? "" : "AUTOINCREMENT";
  transaction.connection.execute(
    `CREATE TABLE c_${lastRowId} (rid INTEGER PRIMARY KEY ${numbers}, k BLOB NOT NULL UNIQUE, d BLOB NOT NULL) STRICT`,
  );
  const record = emptyRecord(lastRowId, namespace, options, uuid);
  transaction.catalog = transaction.catalog.with(record);
  transaction.log.command(record.database, isView(record) ? undefined : uuid, creationOf(record));
  return record;
}

/** Takes a collection out of the file, and tells the log. */
export function dropCollection(transaction: Stored, record: CollectionRecord): void {
  removeCollection(transaction, record);
  transaction.log.command(
    record.database,
    isView(record) ? undefined : record.uuid,
    buildDocument([["drop", stringValue(record.name)]]),
    buildDocument([["numRecords", int64Value(BigInt(record.documentCount))]]),
  );
}

/** Takes a collection out of the file; the log hears of it in what its maker does. */
export function removeCollection(transaction: Stored, record: CollectionRecord): void {
  const { connection } = transaction;
  for (const index of record.indexes) connection.execute(`DROP TABLE x_${index.id}`);
  connection.execute(`DROP TABLE c_${record.id}`);
  connection.run("DELETE FROM index_specification WHERE collection_id = ?", record.id);
  connection.run("DELETE FROM catalog WHERE id = ?", record.id);
  transaction.catalog = transaction.catalog.without({ database: record.database, collection: record.name });
}

/** Drops every collection; of a database without any the log says nothing. */
export function dropDatabase(transaction: Stored, database: string): void {
  const records = transaction.catalog.of(database);
  for (const record of records) dropCollection(transaction, record);
  if (records.length === 0) return;
  transaction.log.command(database, undefined, buildDocument([["dropDatabase", int32Value(1)]]));
}

/** `{create: collection, ...options, idIndex}`, without the last for clustered collections, of the operation log. */
function creationOf(record: CollectionRecord): Uint8Array {
  return buildDocument([
    ["create", stringValue(record.name)],
    ...Array.from(fieldsOf(record.options), ({ name, value }) => [name, value] as const),
    ...(isView(record) || isClustered(record) ? [] : [["idIndex", documentValue(idIndexBytes)] as const]),
  ]);
}
