import { badValue, EngineError } from "../engine-error.ts";
import { toNumber } from "../bson/numbers.ts";
import { parsePath } from "../bson/path.ts";
import { fieldsOf } from "../bson/walk.ts";
import type { CollectionIndex, CollectionRecord } from "../catalog/catalog.ts";
import { type IndexField, isIdKey, isSameKey } from "../catalog/index-specification.ts";
import { idIndexName, isClustered } from "../catalog/clustered-index.ts";
import { isOplog } from "../oplog/namespace.ts";
import { logOrder, type LogRange, logRange } from "../oplog/read-log.ts";
import { arePoints, type Bounds, Conditions, rangesMax } from "../query/bounds.ts";
import type { Filter } from "../query/filter.ts";
import type { SortField } from "../query/sort.ts";
import { implies } from "./implication.ts";
import { boundsThrough, type KeyRange, type Texts } from "./key-ranges.ts";
import { boundsThroughWildcard } from "./wildcard.ts";

/** How documents are found: all of them in stored order, through the keys of `_id` or of an index, or by several such ways in turn. */
export type Plan = ScanPlan | KeysPlan | OrPlan;

export interface ScanPlan {
  readonly kind: "scan";
  readonly sorted: boolean;
  readonly backwards: boolean;
  /** Of the operation log, whose rows are in the order of their times. */
  readonly log?: LogRange;
}

export interface KeysPlan {
  readonly kind: "keys";
  /** Undefined: `_id`. */
  readonly index: CollectionIndex | undefined;
  readonly ranges: readonly KeyRange[];
  /** For each field from the first on what its values are held to; fields behind have none. */
  readonly bounds: readonly Bounds[];
  /** Where the range begins and ends, as it was given (`min`, `max`) or filled up: documents with the index's fields. */
  readonly limits?: { readonly min: Uint8Array; readonly max: Uint8Array; readonly maxIncluded: boolean };
  readonly backwards: boolean;
  readonly sorted: boolean;
  /** Whether the keys are those that a clustered collection is stored by. */
  readonly clustered?: boolean;
  /** The path that a wildcard index is searched by. */
  readonly wildcardPath?: string;
}

/** Each document that any of the branches finds, once. */
export interface OrPlan {
  readonly kind: "or";
  readonly branches: readonly KeysPlan[];
  readonly sorted: boolean;
}

/** Fields of the index that every collection has. */
export const idFields: readonly IndexField[] = [{ path: parsePath("_id"), descending: false, hashed: false }];

/** Every document in the order of `_id`. */
export const everythingById: KeysPlan = {
  kind: "keys",
  index: undefined,
  ranges: boundsThrough(idFields, new Conditions(), false, "bytes").ranges,
  bounds: [],
  backwards: false,
  sorted: true,
};

interface Candidate {
  readonly plan: KeysPlan | OrPlan;
  readonly worth: number;
}

/** Chooses the way to the documents. Every plan gives all matches; the filter is asked for each document all the same. */
export function choosePlan(
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  hint: string | Uint8Array | undefined,
): Plan {
  return possiblePlans(record, filter, sort, hint)[0] as Plan;
}

/** All ways to the documents that are worth a thought, the best first. Throws 2 BadValue for a hint of an index that is not there. */
export function possiblePlans(
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  hint: string | Uint8Array | undefined,
): readonly Plan[] {
  const wanted = hint === undefined ? undefined : hinted(record, hint);
  if (isOplog(record)) return [planThroughLog(filter, sort, wanted)];
  if (wanted !== undefined && "natural" in wanted) return [wholeScan(record, sort, wanted.natural < 0)];
  const indexes = wanted === undefined ? usable(record, filter) : [wanted.index];
  const candidates = indexes.flatMap((index) => planThrough(index, filter, sort, wanted !== undefined) ?? []);
  if (wanted === undefined && candidates.every(({ plan }) => plan.kind === "keys" && plan.bounds.length === 0))
    candidates.push(...alternatives(record, filter, sort));
  const clustered = isClustered(record);
  const plans: Plan[] = candidates
    .toSorted((one, other) => other.worth - one.worth)
    .map(({ plan }) => (clustered && plan.kind === "keys" && plan.index === undefined ? { ...plan, clustered } : plan));
  return plans.length === 0 ? [wholeScan(record, sort, false)] : plans;
}

/** Every document in stored order, which is that of `_id` where a collection is clustered by it. */
function wholeScan(record: CollectionRecord, sort: readonly SortField[], backwards: boolean): Plan {
  const sorted = sort.length === 0;
  return isClustered(record)
    ? { ...everythingById, sorted, backwards, clustered: true }
    : { kind: "scan", sorted, backwards };
}

/** The operation log has no index; its rows are in the order of `ts`. */
function planThroughLog(filter: Filter, sort: readonly SortField[], wanted: Hinted | undefined): ScanPlan {
  if (wanted !== undefined && !("natural" in wanted)) throw noSuchIndex();
  const order = logOrder(sort);
  const backwards =
    sort.length > 0 ? order === "backwards" : wanted !== undefined && "natural" in wanted && wanted.natural < 0;
  return { kind: "scan", sorted: order !== undefined, backwards, log: logRange(filter) };
}

/** `_id` and the indexes that have all documents the query may find. */
function usable(record: CollectionRecord, filter: Filter): readonly (CollectionIndex | undefined)[] {
  return [
    undefined,
    ...record.indexes.filter(({ hidden, partial }) => !hidden && (partial === undefined || implies(filter, partial))),
  ];
}

function planThrough(
  index: CollectionIndex | undefined,
  filter: Filter,
  sort: readonly SortField[],
  forced: boolean,
  conditions: Conditions = filter.conditions,
): Candidate | undefined {
  const fields = index?.fields ?? idFields;
  const multikey = index?.multikey === true;
  const texts: Texts = index?.collation?.name === filter.collation?.name ? (filter.collation ?? "bytes") : "nothing";
  if (index?.wildcard !== undefined) return planThroughWildcard(index, sort, forced, conditions, texts);
  const { bounds, ranges, equal } = boundsThrough(fields, conditions, multikey, texts);
  const bounded = bounds.length;
  if (index?.sparse === true && !forced && !bounds.some(excludesMissing)) return undefined;
  // Ranges are read in the order of keys; over arrays a document comes by the first of its keys that lies in them, which may not be the one it is sorted by.
  const collated = filter.collation !== undefined || index?.collation !== undefined;
  const scattered = collated || fields.some(({ hashed }) => hashed) || (multikey && bounded > 0);
  const order = scattered ? undefined : orderThrough(fields, equal, sort);
  const sorted = sort.length === 0 || order !== undefined;
  if (bounded === 0 && !(sort.length > 0 && order !== undefined) && !forced) return undefined;
  const plan: KeysPlan = { kind: "keys", index, ranges, bounds, backwards: order === "backwards", sorted };
  // Equality on `_id` finds one document; then the more fields are bound the better; an order for free breaks ties.
  const worth =
    (index === undefined && equal === 1 ? 1000 : 0) +
    (index?.unique === true && equal === fields.length ? 500 : 0) +
    bounded * 10 +
    equal +
    (sorted && sort.length > 0 ? 5 : 0);
  return { plan, worth };
}

/** Throws 291 NoQueryExecutionPlans when it has to be used and cannot be. */
function planThroughWildcard(
  index: CollectionIndex,
  sort: readonly SortField[],
  forced: boolean,
  conditions: Conditions,
  texts: Texts,
): Candidate | undefined {
  const found = boundsThroughWildcard(index.wildcard ?? "", conditions, texts);
  if (found === undefined) {
    if (!forced) return undefined;
    throw new EngineError(
      291,
      "NoQueryExecutionPlans",
      "error processing query: planner returned error :: caused by :: No query solutions",
    );
  }
  const { path, bounds, ranges } = found;
  const sorted = sort.length === 0;
  const plan: KeysPlan = {
    kind: "keys",
    index,
    ranges,
    bounds: [bounds],
    backwards: false,
    sorted,
    wildcardPath: path,
  };
  return { plan, worth: arePoints(bounds) && bounds.intervals.length === 1 ? 11 : 10 };
}

/** A sparse index lacks the documents without its fields, which a condition that needs a value makes harmless. */
function excludesMissing({ intervals }: Bounds): boolean {
  return intervals.every(({ from }) => (from.bytes[0] as number) > 0x15);
}

/** Whether the keys after the equal ones come in the order asked for, forwards or backwards. */
export function orderThrough(
  fields: readonly IndexField[],
  equal: number,
  sort: readonly SortField[],
): "forwards" | "backwards" | undefined {
  if (sort.length === 0) return undefined;
  // A field that has one value only changes no order, wherever the sort names it.
  const settled = new Set(fields.slice(0, equal).map(({ path }) => path.text));
  const open = sort.filter(({ path }) => !settled.has(path.text));
  const rest = fields.slice(equal, equal + open.length);
  if (rest.length < open.length) return undefined;
  if (rest.some((field, position) => field.path.text !== open[position]?.path.text)) return undefined;
  const turned = rest.map((field, position) => field.descending !== open[position]?.descending);
  if (turned.every((one) => !one)) return "forwards";
  return turned.every(Boolean) ? "backwards" : undefined;
}

/** A plan for a disjunction, each of whose branches is found through an index. */
function alternatives(record: CollectionRecord, filter: Filter, sort: readonly SortField[]): Candidate[] {
  for (const branches of filter.conditions.alternatives) {
    if (branches.length > rangesMax) continue;
    const plans: KeysPlan[] = [];
    for (const conditions of branches) {
      const plan = bestBranch(record, filter, conditions);
      if (plan === undefined) break;
      plans.push(plan);
    }
    if (plans.length === branches.length)
      return [{ plan: { kind: "or", branches: plans, sorted: sort.length === 0 }, worth: 10 }];
  }
  return [];
}

function bestBranch(record: CollectionRecord, filter: Filter, conditions: Conditions): KeysPlan | undefined {
  const candidates = usable(record, filter).flatMap((index) => planThrough(index, filter, [], false, conditions) ?? []);
  const best = candidates.toSorted((one, other) => other.worth - one.worth)[0]?.plan;
  return best?.kind === "keys" && best.bounds.length > 0 ? best : undefined;
}

export type Hinted = { readonly natural: number } | { readonly index: CollectionIndex | undefined };

/** The index that a hint names. Throws 2 BadValue for one that is not there, or hidden. */
export function hinted(record: CollectionRecord, hint: string | Uint8Array): Hinted {
  if (typeof hint === "string") {
    if (hint === "$natural") return { natural: 1 };
    if (hint === idIndexName(record)) return { index: undefined };
    const index = record.indexes.find((candidate) => candidate.name === hint && !candidate.hidden);
    if (index !== undefined) return { index };
  } else {
    const [field] = [...fieldsOf(hint)];
    if (field?.name === "$natural") return { natural: toNumber(field.value) };
    if (isIdKey(hint)) return { index: undefined };
    const index = record.indexes.find((candidate) => isSameKey(candidate.key, hint) && !candidate.hidden);
    if (index !== undefined) return { index };
  }
  throw noSuchIndex();
}

function noSuchIndex(): EngineError {
  return badValue(
    "error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index",
  );
}
