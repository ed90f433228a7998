import { arrayValue, buildDocument, objectValue } from "./bson/builder.ts";
import { dateValue, documentValue, stringValue, type Value } from "./bson/value.ts";
import { toNumber } from "./bson/numbers.ts";
import { getField } from "./bson/walk.ts";
import { isClustered } from "./catalog/clustered-index.ts";
import type { Catalog, CollectionRecord } from "./catalog/catalog.ts";
import type { IndexSpecification } from "./catalog/index-specification.ts";
import type { DeleteStatement, Engine } from "./engine.ts";

/** Deletes what is over in every collection; answers how many documents went. */
export async function expireDocuments(
  engine: Pick<Engine, "delete">,
  catalog: Catalog,
  nowMs: () => number,
): Promise<number> {
  const write = { signal: new AbortController().signal, durable: true };
  let count = 0;
  for (const record of catalog.databases().flatMap((name) => catalog.of(name))) {
    const statements = expiredStatements(record, nowMs());
    if (statements.length === 0) continue;
    const namespace = { database: record.database, collection: record.name };
    count += (await engine.delete(namespace, statements, true, write)).deletedCount;
  }
  return count;
}

/** Deletes of what a collection's TTL indexes, or its own lifetime where it is clustered, say is over at `nowMs` (manual, "TTL Indexes"): of several dates in an array the earliest counts. */
function expiredStatements(record: CollectionRecord, nowMs: number): readonly DeleteStatement[] {
  const statements = record.indexes.flatMap((index) => {
    if (index.expireAfterSeconds === undefined) return [];
    const filter = expiredFilter(index, nowMs - index.expireAfterSeconds * 1000);
    return [{ filter, justOne: false, collation: indexCollation(index) }];
  });
  const lifetime = getField(record.options, "expireAfterSeconds");
  if (lifetime === undefined || !isClustered(record)) return statements;
  return [...statements, { filter: olderThan("_id", nowMs - toNumber(lifetime) * 1000), justOne: false }];
}

/** A partial filter means what it means in the index, whatever the collection's own collation. */
function indexCollation({ collation }: IndexSpecification): Uint8Array {
  return collation?.specification ?? buildDocument([["locale", stringValue("simple")]]);
}

function expiredFilter({ fields, partial }: IndexSpecification, latestMs: number): Uint8Array {
  const old = olderThan(fields[0]?.path.text as string, latestMs);
  if (partial === undefined) return old;
  const clauses: Value[] = [documentValue(old), documentValue(partial.query)];
  return buildDocument([["$and", arrayValue(clauses)]]);
}

function olderThan(path: string, latestMs: number): Uint8Array {
  return buildDocument([[path, objectValue([["$lte", dateValue(BigInt(Math.floor(latestMs)))]])]]);
}
