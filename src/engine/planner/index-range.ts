import { located, notSupported } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { compareBytes } from "../bson/bytes.ts";
import { bsonType } from "../bson/types.ts";
import { Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";
import type { IndexField } from "../catalog/index-specification.ts";
import { isOplog } from "../oplog/namespace.ts";
import { holdsText } from "../query/collation.ts";
import type { Filter } from "../query/filter.ts";
import type { SortField } from "../query/sort.ts";
import { indexKey } from "../storage/index-keys.ts";
import { wholeIndex } from "./key-ranges.ts";
import { hinted, idFields, type KeysPlan, orderThrough } from "./plan.ts";

/** Where a query begins and ends in an index, in the index's own order: from `min` on and below `max`. Documents with the index's fields. */
export interface IndexLimits {
  readonly min?: Uint8Array | undefined;
  readonly max?: Uint8Array | undefined;
}

/**
 * The way to documents between two keys of the index that is hinted (manual, "cursor.min()", "cursor.max()"). Throws 51173 without a hint, 51174 for keys that are
 * none of the index, 51175 for keys in the wrong order, 51176 for two of different fields.
 */
export function planWithin(
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  hint: string | Uint8Array | undefined,
  { min, max }: IndexLimits,
): KeysPlan {
  if (min !== undefined && max !== undefined && !isSame(namesOf(min), namesOf(max)))
    throw located(51_176, "min and max must have the same field names");
  if (hint === undefined) throw located(51_173, "When using min()/max() a hint of which index to use must be provided");
  const wanted = hinted(record, hint);
  if ("natural" in wanted || isOplog(record)) throw incompatible();
  const { index } = wanted;
  const fields = index?.fields ?? idFields;
  if (index?.wildcard !== undefined) throw notSupported("min or max in a wildcard index");
  if (fields.some(({ hashed }) => hashed)) throw notSupported("min or max in a hashed index");
  const limits = [min, max].filter((limit) => limit !== undefined);
  if (
    limits.some(
      (limit) =>
        !isSame(
          namesOf(limit),
          fields.map(({ path }) => path.text),
        ),
    )
  )
    throw incompatible();
  if (limits.some((limit) => valuesOf(limit).some(holdsText))) requirePlainText(filter, index?.collation?.name);
  const range = {
    from: min === undefined ? wholeIndex.from : indexKey(fields, valuesOf(min), index?.collation),
    to: max === undefined ? wholeIndex.to : indexKey(fields, valuesOf(max), index?.collation),
  };
  if (compareBytes(range.from, range.to) >= 0)
    throw located(51_175, "The value provided for min() does not come before the value provided for max()");
  const scattered = filter.collation !== undefined || index?.collation !== undefined || index?.multikey === true;
  const order = scattered ? undefined : orderThrough(fields, 0, sort);
  return {
    kind: "keys",
    index,
    ranges: [range],
    bounds: [],
    limits: { min: min ?? edge(fields, false), max: max ?? edge(fields, true), maxIncluded: max === undefined },
    backwards: order === "backwards",
    sorted: sort.length === 0 || order !== undefined,
  };
}

/** Keys are not in the order of a collation. Throws 51174 where index and query compare strings differently, 238 where both do so by a collation. */
function requirePlainText({ collation }: Filter, indexCollation: string | undefined): void {
  if (collation?.name !== indexCollation) throw incompatible();
  if (collation !== undefined) throw notSupported("min or max with strings in an index with a collation");
}

function incompatible(): Error {
  return located(51_174, "The index chosen is not compatible with min/max");
}

function namesOf(limit: Uint8Array): readonly string[] {
  return Array.from(fieldsOf(limit), ({ name }) => name);
}

function valuesOf(limit: Uint8Array): readonly Value[] {
  return Array.from(fieldsOf(limit), ({ value }) => value);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, position) => name === other[position]);
}

const minKey = new Value(bsonType.minKey, new Uint8Array(0));
const maxKey = new Value(bsonType.maxKey, new Uint8Array(0));

/** The first or the last key there may be. */
function edge(fields: readonly IndexField[], last: boolean): Uint8Array {
  return buildDocument(
    fields.map(({ path, descending }) => [path.text, descending === last ? minKey : maxKey] as const),
  );
}
