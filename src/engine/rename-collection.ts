import { EngineError } from "./engine-error.ts";
import { buildDocument } from "./bson/builder.ts";
import { falseValue, int64Value, stringValue } from "./bson/value.ts";
import type { Catalog, CollectionRecord } from "./catalog/catalog.ts";
import { checkNamespace } from "./catalog/names.ts";
import { refuseView } from "./catalog/views.ts";
import { removeCollection } from "./collections.ts";
import type { Namespace } from "./engine.ts";
import { uuidValue } from "./oplog/entry.ts";
import type { WriteTransaction } from "./write-transaction.ts";

/** The collection that is to be renamed. Throws 26 NamespaceNotFound, 48 NamespaceExists, 20 IllegalOperation, 73 InvalidNamespace, 166 for a view. */
export function checkedRename(catalog: Catalog, from: Namespace, to: Namespace, dropTarget: boolean): CollectionRecord {
  checkNamespace(to);
  const record = catalog.find(from);
  if (record === undefined)
    throw new EngineError(
      26,
      "NamespaceNotFound",
      `Source collection ${from.database}.${from.collection} does not exist`,
    );
  refuseView(record);
  if ([from.collection, to.collection].some((name) => name.startsWith("system.")))
    throw new EngineError(20, "IllegalOperation", "cannot rename a system collection, nor to a system name");
  if (from.database === to.database && from.collection === to.collection)
    throw new EngineError(20, "IllegalOperation", "Can't rename a collection to itself");
  const target = catalog.find(to);
  if (target === undefined) return record;
  refuseView(target);
  if (!dropTarget) throw new EngineError(48, "NamespaceExists", "target namespace exists");
  return record;
}

/** Gives a collection another name, in another database too, in the place of the one that has it; its documents and indexes stay where they are. */
export function renameCollection(transaction: WriteTransaction, record: CollectionRecord, to: Namespace): void {
  const target = transaction.catalog.find(to);
  if (target !== undefined) removeCollection(transaction, target);
  transaction.connection.run(
    "UPDATE catalog SET database = ?, name = ? WHERE id = ?",
    to.database,
    to.collection,
    record.id,
  );
  transaction.catalog = transaction.catalog
    .without({ database: record.database, collection: record.name })
    .with({ ...record, database: to.database, name: to.collection });
  transaction.log.command(
    record.database,
    record.uuid,
    buildDocument([
      ["renameCollection", stringValue(`${record.database}.${record.name}`)],
      ["to", stringValue(`${to.database}.${to.collection}`)],
      ["stayTemp", falseValue],
      ["dropTarget", target === undefined ? falseValue : uuidValue(target.uuid)],
    ]),
    target === undefined ? undefined : buildDocument([["numRecords", int64Value(BigInt(target.documentCount))]]),
  );
}
