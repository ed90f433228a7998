import { arrayValue, buildDocument, objectValue } from "./bson/builder.ts";
import { dateValue, documentValue, stringValue, type Value } from "./bson/value.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import type { IndexSpecification } from "./catalog/index-specification.ts";
import type { DeleteStatement } from "./engine.ts";

/** Deletes of what a collection's TTL indexes say is over at `nowMs` (manual, "TTL Indexes"): of several dates in an array the earliest counts. */
export function expiredStatements({ indexes }: CollectionRecord, nowMs: number): readonly DeleteStatement[] {
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
