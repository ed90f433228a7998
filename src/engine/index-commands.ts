import { equalBytes } from "./bson/bytes.ts";
import type { CollectionIndex, CollectionRecord } from "./catalog/catalog.ts";
import { settingsOf } from "./catalog/collection-settings.ts";
import { type IndexSpecification, parseIndexSpecification } from "./catalog/index-specification.ts";
import { EngineError } from "./engine-error.ts";
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
      throw new EngineError(
        67,
        "CannotCreateIndex",
        `add index fails, too many indexes for ${record.database}.${record.name}`,
      );
    current = await buildIndex(transaction, current, specification, pace);
  }
  return current;
}

function isThere(record: CollectionRecord, wanted: IndexSpecification): boolean {
  if (isIdIndex(wanted)) {
    if (wanted.name !== "_id_" && wanted.name !== "_id_1")
      throw new EngineError(
        2,
        "BadValue",
        `The index name '_id_' must be used for the _id index, not '${wanted.name}'`,
      );
    return true;
  }
  if (wanted.name === "_id_")
    throw new EngineError(2, "BadValue", "The index name '_id_' is reserved for the _id index");
  for (const index of record.indexes) {
    const sameKey = equalBytes(index.key, wanted.key) || sameFields(index, wanted);
    const sameOptions =
      index.unique === wanted.unique &&
      index.sparse === wanted.sparse &&
      index.collation?.name === wanted.collation?.name;
    if (index.name === wanted.name) {
      if (!sameKey)
        throw new EngineError(
          86,
          "IndexKeySpecsConflict",
          `An existing index has the same name as the requested index: ${wanted.name}`,
        );
      if (!sameOptions)
        throw new EngineError(
          85,
          "IndexOptionsConflict",
          `An equivalent index already exists with the same name but different options: ${wanted.name}`,
        );
      return true;
    }
    if (sameKey)
      throw new EngineError(85, "IndexOptionsConflict", `Index already exists with a different name: ${index.name}`);
  }
  return false;
}

function isIdIndex({ fields }: IndexSpecification): boolean {
  return fields.length === 1 && fields[0]?.path.text === "_id" && !fields[0].descending;
}

function sameFields(one: IndexSpecification, other: IndexSpecification): boolean {
  return (
    one.fields.length === other.fields.length &&
    one.fields.every(
      (field, position) =>
        field.path.text === other.fields[position]?.path.text &&
        field.descending === other.fields[position]?.descending,
    )
  );
}

async function buildIndex(
  transaction: WriteTransaction,
  record: CollectionRecord,
  specification: IndexSpecification,
  pace: Pace,
): Promise<CollectionRecord> {
  const { connection } = transaction;
  const { lastRowId } = connection.run(
    "INSERT INTO index_specification (collection_id, name, specification) VALUES (?, ?, ?)",
    record.id,
    specification.name,
    specification.bytes,
  );
  connection.execute(
    `CREATE TABLE x_${lastRowId} (k BLOB NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (k, rid)) STRICT, WITHOUT ROWID`,
  );
  const index: CollectionIndex = { ...specification, id: lastRowId, multikey: false };
  const withIndex: CollectionRecord = { ...record, indexes: [...record.indexes, index] };
  const writer = new CollectionWriter(connection, withIndex);
  for (const batch of storedBatches(connection, record, { kind: "scan", sorted: true })) {
    for (const { rowId, bytes } of batch) writer.addToIndex(index, rowId, bytes);
    if (pace.due) await pace.rest();
  }
  const built = writer.finish();
  transaction.catalog = transaction.catalog.with(built);
  return built;
}

/** Removes indexes by name or key pattern, `"*"` all but `_id_`. Throws 27 IndexNotFound, 72 InvalidOptions. */
export function dropIndexes(
  transaction: WriteTransaction,
  record: CollectionRecord,
  wanted: "*" | readonly (string | Uint8Array)[],
): void {
  const going = wanted === "*" ? record.indexes : wanted.map((one) => findIndex(record, one));
  for (const index of going) {
    transaction.connection.execute(`DROP TABLE x_${index.id}`);
    transaction.connection.run("DELETE FROM index_specification WHERE id = ?", index.id);
  }
  transaction.connection.forget();
  transaction.catalog = transaction.catalog.with({
    ...record,
    indexes: record.indexes.filter((index) => !going.includes(index)),
  });
}

function findIndex(record: CollectionRecord, wanted: string | Uint8Array): CollectionIndex {
  if (wanted === "_id_") throw new EngineError(72, "InvalidOptions", "cannot drop _id index");
  const index = record.indexes.find((candidate) =>
    typeof wanted === "string" ? candidate.name === wanted : equalBytes(candidate.key, wanted),
  );
  if (index === undefined)
    throw new EngineError(
      27,
      "IndexNotFound",
      `index not found with name [${typeof wanted === "string" ? wanted : "(key pattern)"}]`,
    );
  return index;
}
