import { arrayValue, buildDocument, objectValue } from "./bson/builder.ts";
import { dateValue, documentValue, stringValue, type Value } from "./bson/value.ts";
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

/** Deletes of what a collection's TTL indexes say is over at `nowMs` (manual, "TTL Indexes"): of several dates in an array the earliest counts. */
function expiredStatements({ indexes }: CollectionRecord, nowMs: number): readonly DeleteStatement[] {
  return indexes.flatMap((index) => {
    if (index.expireAfterSeconds === undefined) return [];
    const filter = expiredFilter(index, nowMs - index.expireAfterSeconds * 1000);
    return [{ filter, justOne: false, collation: indexCollation(index) }];
  });
}

/** A partial filter means what it means in the index, whatever the collection's own collation. */
function indexCollation({ collation }: IndexSpecification): Uint8Array {
  return collation?.specification ?? buildDocument([["locale", stringValue("simple")]]);
}

function expiredFilter({ fields, partial }: IndexSpecification, latestMs: number): Uint8Array {
  const date = dateValue(BigInt(Math.floor(latestMs)));
  const path = fields[0]?.path.text as string;
  const old = buildDocument([[path, objectValue([["$lte", date]])]]);
  if (partial === undefined) return old;
  const clauses: Value[] = [documentValue(old), documentValue(partial.query)];
  return buildDocument([["$and", arrayValue(clauses)]]);
}
