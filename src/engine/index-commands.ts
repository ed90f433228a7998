import { buildDocument, emptyDocument } from "./bson/builder.ts";
import { equalBytes } from "./bson/bytes.ts";
import { stringValue } from "./bson/value.ts";
import { fieldsOf } from "./bson/walk.ts";
import type { CollectionIndex, CollectionRecord } from "./catalog/catalog.ts";
import { idIndexName, isClustered } from "./catalog/clustered-index.ts";
import { settingsOf } from "./catalog/collection-settings.ts";
import {
  cannotCreate,
  type IndexSpecification,
  isIdKey,
  isSameKey,
  parseIndexSpecification,
} from "./catalog/index-specification.ts";
import { badValue, EngineError, located } from "./engine-error.ts";
import { storedBatches } from "./planner/access.ts";
import { CollectionWriter } from "./storage/collection-writer.ts";
import type { Pace } from "./storage/turns.ts";
import type { WriteTransaction } from "./write-transaction.ts";

/** Most indexes of a collection, `_id_` included (manual, "MongoDB Limits"). */
const indexesMax = 64;

/** Makes those indexes that are not there yet. Throws 85 IndexOptionsConflict, 86 IndexKeySpecsConflict, 67 CannotCreateIndex, 11000. */
export async function createIndexes(
  transaction: WriteTransaction,
  record: CollectionRecord,
  specifications: readonly Uint8Array[],
  pace: Pace,
): Promise<CollectionRecord> {
  let current = record;
  for (const bytes of specifications) {
    const specification = parseIndexSpecification(bytes, settingsOf(record).collation);
    if (isThere(current, specification)) continue;
    if (current.indexes.length + 2 > indexesMax)
      throw cannotCreate(
        `add index fails, too many indexes for ${record.database}.${record.name} key:${specification.name}`,
      );
    current = await buildIndex(transaction, current, specification, pace);
  }
  return current;
}

/**
 * Whether an index that is there is the one that is wanted. What tells indexes apart is the key pattern, the collation, the partial filter, and whether they are
 * unique and sparse (manual, "Create Indexes"); with these alike there is one, of one name and with one set of options.
 */
function isThere(record: CollectionRecord, wanted: IndexSpecification): boolean {
  if (wanted.clustered || (isIdKey(wanted.key) && isClustered(record))) return isClusteredAlready(record, wanted);
  if (isIdKey(wanted.key)) {
    refuseForId(wanted);
    return true;
  }
  if (wanted.name === "_id_") throw badValue("The index name '_id_' is reserved for the _id index");
  const named = record.indexes.find(({ name }) => name === wanted.name);
  if (named !== undefined) {
    if (!isAlike(named, wanted))
      throw new EngineError(
        86,
        "IndexKeySpecsConflict",
        "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. " +
          `Please refer to our documentation. Requested index: ${wanted.name}, existing index: ${named.name}`,
      );
    if (!hasSameOptions(named, wanted))
      throw conflict(`An equivalent index already exists with the same name but different options: ${wanted.name}`);
    return true;
  }
  const alike = record.indexes.find((index) => isAlike(index, wanted));
  if (alike === undefined) return false;
  throw conflict(
    hasSameOptions(alike, wanted)
      ? `Index already exists with a different name: ${alike.name}`
      : `An equivalent index already exists with a different name and options: ${alike.name}`,
  );
}

/** The index of a clustered collection is made with it (manual, "Clustered Collections"). Throws 6243700 for another one, 67 for an index beside it. */
function isClusteredAlready(record: CollectionRecord, wanted: IndexSpecification): true {
  if (!wanted.clustered)
    throw cannotCreate("cannot create the _id index on a clustered collection not already indexed by _id");
  if (!isClustered(record) || !isIdKey(wanted.key) || !wanted.unique || wanted.name !== idIndexName(record))
    throw located(
      6_243_700,
      "Cannot create index with option 'clustered' that does not match an existing clustered index",
    );
  return true;
}

function isAlike(one: IndexSpecification, other: IndexSpecification): boolean {
  return (
    isSameKey(one.key, other.key) &&
    one.collation?.name === other.collation?.name &&
    one.unique === other.unique &&
    one.sparse === other.sparse &&
    equalBytes(one.partial?.query ?? emptyDocument, other.partial?.query ?? emptyDocument)
  );
}

function hasSameOptions(one: IndexSpecification, other: IndexSpecification): boolean {
  return one.expireAfterSeconds === other.expireAfterSeconds;
}

function conflict(message: string): EngineError {
  return new EngineError(85, "IndexOptionsConflict", message);
}

/** The index of `_id` has its name, and no option changes what it is. */
function refuseForId(wanted: IndexSpecification): void {
  if (wanted.name !== "_id_" && wanted.name !== "_id_1")
    throw badValue(`The index name '_id_' must be used for the _id index, not '${wanted.name}'`);
  if (wanted.partial !== undefined) throw cannotCreate("_id index cannot be a partial index");
  if (wanted.sparse) throw cannotCreate("_id index cannot be sparse");
  if (wanted.hidden) throw badValue("can't hide _id index");
  if (wanted.expireAfterSeconds !== undefined)
    throw new EngineError(
      197,
      "InvalidIndexSpecificationOption",
      "The field 'expireAfterSeconds' is not valid for an _id index specification.",
    );
}

async function buildIndex(
  transaction: WriteTransaction,
  record: CollectionRecord,
  specification: IndexSpecification,
  pace: Pace,
): Promise<CollectionRecord> {
  const { connection } = transaction;
  const id = transaction.createIndexTable(record, specification);
  const index: CollectionIndex = { ...specification, id, multikey: false };
  const withIndex: CollectionRecord = { ...record, indexes: [...record.indexes, index] };
  const writer = new CollectionWriter(connection, withIndex);
  for (const batch of storedBatches(connection, record, { kind: "scan", sorted: true, backwards: false })) {
    for (const { rowId, bytes } of batch) await pace.drain(writer.indexing(index, rowId, bytes));
    if (pace.due) await pace.rest();
  }
  const built = writer.finish();
  transaction.catalog = transaction.catalog.with(built);
  transaction.log.command(record.database, record.uuid, creationEntry(record.name, specification));
  return built;
}

/** `{createIndexes: collection, v, key, name, ...}` of the operation log. */
function creationEntry(collection: string, { bytes }: IndexSpecification): Uint8Array {
  return buildDocument([
    ["createIndexes", stringValue(collection)],
    ...Array.from(fieldsOf(bytes), ({ name, value }) => [name, value] as const),
  ]);
}

/** Removes indexes by name or key pattern, `"*"` all but `_id_`. Throws 27 IndexNotFound, 72 InvalidOptions, 5979800 for a clustered one. */
export function dropIndexes(
  transaction: WriteTransaction,
  record: CollectionRecord,
  wanted: "*" | readonly (string | Uint8Array)[],
): void {
  const going = wanted === "*" ? record.indexes : wanted.map((one) => findIndex(record, one));
  for (const index of going) {
    transaction.connection.execute(`DROP TABLE x_${index.id}`);
    transaction.connection.run("DELETE FROM index_specification WHERE id = ?", index.id);
    transaction.log.command(
      record.database,
      record.uuid,
      buildDocument([
        ["dropIndexes", stringValue(record.name)],
        ["index", stringValue(index.name)],
      ]),
      index.bytes,
    );
  }
  transaction.connection.forget();
  transaction.catalog = transaction.catalog.with({
    ...record,
    indexes: record.indexes.filter((index) => !going.includes(index)),
  });
}

function findIndex(record: CollectionRecord, wanted: string | Uint8Array): CollectionIndex {
  const name = isClustered(record) ? idIndexName(record) : undefined;
  if (name !== undefined && (wanted === name || (typeof wanted !== "string" && isIdKey(wanted))))
    throw located(5_979_800, "It is illegal to drop the clusteredIndex");
  if (wanted === "_id_" || (typeof wanted !== "string" && isIdKey(wanted)))
    throw new EngineError(72, "InvalidOptions", "cannot drop _id index");
  const index = record.indexes.find((candidate) =>
    typeof wanted === "string" ? candidate.name === wanted : isSameKey(candidate.key, wanted),
  );
  if (index === undefined)
    throw new EngineError(
      27,
      "IndexNotFound",
      `index not found with name [${typeof wanted === "string" ? wanted : "(key pattern)"}]`,
    );
  return index;
}
