import { badValue } from "../engine-error.ts";
import { equalBytes } from "../bson/bytes.ts";
import type { CollectionIndex, CollectionRecord } from "../catalog/catalog.ts";
import type { Bounds } from "../query/bounds.ts";
import type { Filter } from "../query/filter.ts";
import type { SortField } from "../query/sort.ts";

/** Keys from `from` on and below `to`, in the order of bytes. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** How documents are found: all of them in stored order, or through the keys of `_id` or of an index. */
export type Plan =
  | { readonly kind: "scan"; readonly sorted: boolean }
  | {
      readonly kind: "keys";
      readonly index: CollectionIndex | undefined;
      readonly ranges: readonly KeyRange[];
      readonly backwards: boolean;
      readonly sorted: boolean;
    };

/** Everything: keys begin with a type's place, which is above 00 and below ff. */
const everything: KeyRange = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };
/** More points than this are not worth one look-up each. */
const rangesMax = 10_000;

/** Chooses the way to the documents. Every plan gives all matches; the filter is asked for each document all the same. */
export function choosePlan(
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  hint: string | Uint8Array | undefined,
): Plan {
  const candidates = hint === undefined ? [undefined, ...record.indexes] : [hinted(record, hint)];
  if (candidates[0] === "natural") return { kind: "scan", sorted: sort.length === 0 };
  const plans = candidates.map((index) =>
    planThrough(index as CollectionIndex | undefined, filter, sort, hint !== undefined),
  );
  const usable = plans.filter((candidate) => candidate !== undefined).toSorted((one, other) => other.worth - one.worth);
  return usable[0]?.plan ?? { kind: "scan", sorted: sort.length === 0 };
}

function planThrough(
  index: CollectionIndex | undefined,
  filter: Filter,
  sort: readonly SortField[],
  forced: boolean,
): { readonly plan: Plan; readonly worth: number } | undefined {
  const fields = index === undefined ? [{ path: { text: "_id" }, descending: false }] : index.fields;
  let ranges: readonly KeyRange[] = [everything];
  let bounded = 0;
  let equal = 0;
  for (const field of fields) {
    const bounds = filter.bounds.get(field.path.text);
    // Keys of strings are their bytes, which say nothing about where a collation has them.
    if (bounds === undefined || (bounds.text && filter.collation !== undefined)) break;
    const next = extend(ranges, bounds, field.descending);
    if (next.length > rangesMax) break;
    ranges = next;
    bounded += 1;
    if (bounds.kind === "range") break;
    // After several points keys are no longer in one order.
    if (bounds.keys.length === 1) equal += 1;
    else break;
  }
  // A sparse index lacks documents, which only a condition on its field makes harmless.
  if (index?.sparse === true && bounded === 0 && !forced) return undefined;
  const scattered = index?.multikey === true || ranges.length > 1 || filter.collation !== undefined;
  const order = sortThrough(fields, equal, sort, scattered);
  const sorted = sort.length === 0 || order !== undefined;
  if (bounded === 0 && !(sort.length > 0 && order !== undefined) && !forced) return undefined;
  const plan: Plan = { kind: "keys", index, ranges, backwards: order === "backwards", sorted };
  // Equality on `_id` finds one document; then the more fields are bound the better; an order for free breaks ties.
  const worth =
    (index === undefined && equal === 1 ? 1000 : 0) + bounded * 10 + equal + (sorted && sort.length > 0 ? 5 : 0);
  return { plan, worth };
}

/** Whether the keys after the equal ones come in the order asked for, forwards or backwards. */
function sortThrough(
  fields: readonly { readonly path: { readonly text: string }; readonly descending: boolean }[],
  equal: number,
  sort: readonly SortField[],
  scattered: boolean,
): "forwards" | "backwards" | undefined {
  if (sort.length === 0 || scattered) return undefined;
  for (const skipped of Array.from({ length: equal + 1 }, (_, count) => count)) {
    const rest = fields.slice(skipped, skipped + sort.length);
    // `_id` is unique: whatever is sorted by after it changes nothing.
    if (rest.length < sort.length) continue;
    if (rest.some((field, position) => field.path.text !== sort[position]?.path.text)) continue;
    const turned = rest.map((field, position) => field.descending !== sort[position]?.descending);
    if (turned.every((one) => !one)) return "forwards";
    if (turned.every(Boolean)) return "backwards";
  }
  return undefined;
}

function extend(ranges: readonly KeyRange[], bounds: Bounds, descending: boolean): KeyRange[] {
  const first = ranges === undefined || ranges[0] === everything;
  const prefixes = first ? [new Uint8Array(0)] : ranges.map((range) => range.from);
  return prefixes.flatMap((prefix) => {
    if (bounds.kind === "points") {
      return bounds.keys.map((key) => {
        const from = Buffer.concat([prefix, descending ? turned(key) : key]);
        return { from, to: after(from) };
      });
    }
    const [low, high] = descending ? [turned(bounds.to), turned(bounds.from)] : [bounds.from, bounds.to];
    return [{ from: Buffer.concat([prefix, low]), to: after(Buffer.concat([prefix, high])) }];
  });
}

/** Above every key that begins with these bytes: what may follow begins below ff. */
function after(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Uint8Array.of(0xff)]);
}

function turned(key: Uint8Array): Uint8Array {
  return key.map((byte) => ~byte);
}

function hinted(record: CollectionRecord, hint: string | Uint8Array): CollectionIndex | "natural" | undefined {
  if (typeof hint === "string") {
    if (hint === "_id_") return undefined;
    const index = record.indexes.find((candidate) => candidate.name === hint);
    if (index !== undefined) return index;
  } else {
    if (isPattern(hint, "$natural")) return "natural";
    if (isPattern(hint, "_id")) return undefined;
    const index = record.indexes.find((candidate) => equalBytes(candidate.key, hint));
    if (index !== undefined) return index;
  }
  throw badValue(
    "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index",
  );
}

function isPattern(document: Uint8Array, name: string): boolean {
  return Buffer.from(document).toString("latin1").slice(5).startsWith(`${name}\0`);
}
