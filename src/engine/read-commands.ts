import { documentValue, type Value, wholeNumberOf } from "./bson/value.ts";
import { allElements, arrayOf, mappedList } from "./bson/arrays.ts";
import { buildDocument } from "./bson/builder.ts";
import { parsePath, visitPath } from "./bson/path.ts";
import { bsonType } from "./bson/types.ts";
import { fieldsOf } from "./bson/walk.ts";
import { aggregateFlow, type AggregateSurroundings } from "./aggregate-command.ts";
import { compilerIn, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { collationThrough, isView } from "./catalog/views.ts";
import type { CountQuery, DistinctQuery, FindQuery, Namespace } from "./engine.ts";
import { FlowCursor } from "./engine-cursor.ts";
import { EngineError, notSupported } from "./engine-error.ts";
import { FoundPlaces } from "./found-places.ts";
import { storedFlow } from "./planner/access.ts";
import { planWithin } from "./planner/index-range.ts";
import { type Plan, possiblePlans } from "./planner/plan.ts";
import { type Collation, equalityKeys } from "./query/collation.ts";
import { compileFilter, type Filter } from "./query/filter.ts";
import {
  filtered,
  type Flow,
  limited,
  mapped,
  cannotSpill,
  blockingStepMaxBytes,
  nothing,
  type Room,
  roomFor,
  skipped,
} from "./query/flow.ts";
import { compileProjection, type Projection } from "./query/projection.ts";
import { createSortOrder, parseSort, type SortField } from "./query/sort.ts";
import { sorted } from "./query/sorted.ts";
import { Work } from "./steps.ts";
import { Pace } from "./storage/turns.ts";
import type { Connection } from "./storage/database-file.ts";

/** Documents of a collection that fit, in the order asked for. */
function matchingFlow(
  connection: Connection,
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  plan: Plan,
  limit: number | undefined,
  places: FoundPlaces | undefined,
  room: Room,
): Flow {
  const stored = storedFlow(connection, record, plan, undefined, places && ((one) => places.note(one)));
  const found = filter.matchesAll ? stored : filtered(stored, (document) => filter.matches(document));
  return plan.sorted ? found : sorted(found, createSortOrder(sort, filter.collation), limit, room);
}

/** Results of a `find` on a collection or a view. */
export function findFlow(surroundings: AggregateSurroundings, namespace: Namespace, query: FindQuery): Flow {
  const { state, moment, random } = surroundings;
  const collation = collationThrough(state.catalog, namespace, query.collation);
  const compile = compilerIn(contextOf(variablesOf(query.variables, moment, random), collation, random));
  // Compiled also without a collection: a bad query is an error wherever it is asked.
  const filter = compileFilter(query.filter, { compileExpression: compile, variables: query.variables, collation });
  const natural = query.sort === undefined ? undefined : naturalOrder(query.sort);
  const sort = query.sort === undefined || natural !== undefined ? [] : parseSort(query.sort);
  const project =
    query.projection === undefined
      ? undefined
      : compileProjection(query.projection, { find: true, compileExpression: compile, filter });
  const record = state.catalog.find(namespace);
  if (record === undefined) return nothing();
  const skip = query.skip ?? 0;
  const limit = query.limit === undefined || query.limit === 0 ? undefined : query.limit;
  const needed = limit === undefined ? undefined : limit + skip;
  const room = roomFor(surroundings.room, query.allowDiskUse);
  if (isView(record)) refuseOnView(query);
  const places =
    query.returnKey === true || query.showRecordId === true ? new FoundPlaces(state.connection, record) : undefined;
  let flow = isView(record)
    ? sortedFlow(viewFlow(surroundings, namespace, query), sort, filter, needed, room)
    : matchingFlow(
        state.connection,
        record,
        filter,
        sort,
        plansFor(record, filter, sort, { ...query, hint: natural ?? query.hint })[0] as Plan,
        needed,
        places,
        // What is laid on the disk comes back as another document, whose place is not known.
        places === undefined ? room : roomFor(room, false),
      );
  if (skip > 0) flow = skipped(flow, skip);
  if (limit !== undefined) flow = limited(flow, limit);
  if (places !== undefined) return mapped(flow, answerOf(query, places, project));
  return project === undefined ? flow : mapped(flow, project);
}

/** All ways to the documents of a query that are worth a thought, the best first. */
export function plansFor(
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  { hint, min, max }: Pick<FindQuery, "hint" | "min" | "max">,
): readonly Plan[] {
  if (min === undefined && max === undefined) return possiblePlans(record, filter, sort, hint);
  return [planWithin(record, filter, sort, hint, { min, max })];
}

/** What is answered for a document where its place is asked for; keys are not projected. */
function answerOf(
  { returnKey, showRecordId }: FindQuery,
  places: FoundPlaces,
  project: Projection | undefined,
): (document: Uint8Array) => Uint8Array {
  const plain =
    returnKey === true ? (document: Uint8Array) => places.keyOf(document) : (project ?? ((document) => document));
  if (showRecordId !== true) return plain;
  return (document) => places.withRecordId(plain(document), document);
}

/** Throws 168 InvalidPipelineOperator: what a view shows has no place of its own. */
export function refuseOnView(query: Pick<FindQuery, "min" | "max" | "returnKey" | "showRecordId">): void {
  const { min, max, returnKey, showRecordId } = query;
  const given = Object.entries({ min, max, returnKey, showRecordId });
  for (const [name, value] of given)
    if (value !== undefined && value !== false)
      throw new EngineError(168, "InvalidPipelineOperator", `Option ${name} not supported in aggregation.`);
}

/** Documents of a view that fit. */
function viewFlow(surroundings: AggregateSurroundings, namespace: Namespace, query: FindQuery): Flow {
  const match = buildDocument([["$match", documentValue(query.filter)]]);
  const { variables, hint, allowDiskUse } = query;
  return aggregateFlow(surroundings, namespace, { pipeline: [match], variables, hint, allowDiskUse });
}

function sortedFlow(
  flow: Flow,
  sort: readonly SortField[],
  { collation }: Filter,
  limit: number | undefined,
  room: Room,
): Flow {
  return sort.length === 0 ? flow : sorted(flow, createSortOrder(sort, collation), limit, room);
}

/** `{$natural: 1}` or `-1` as the hint that it is; undefined for any other order. Throws 2 BadValue for another direction. */
export function naturalOrder(sort: Uint8Array): Uint8Array | undefined {
  const [field, more] = [...fieldsOf(sort)];
  if (field?.name !== "$natural" || more !== undefined) return undefined;
  const direction = wholeNumberOf(field.value);
  if (direction !== 1 && direction !== -1)
    throw new EngineError(2, "BadValue", "$natural sort cannot be set to a value other than -1 or 1.");
  return sort;
}

/** How many documents a `count` finds. */
export async function countDocuments(
  surroundings: AggregateSurroundings,
  namespace: Namespace,
  query: CountQuery,
  signal: AbortSignal,
  monotonicMs: () => number,
): Promise<number> {
  const record = surroundings.state.catalog.find(namespace);
  const { filter, collation, skip = 0, hint } = query;
  const limit = query.limit === 0 ? undefined : query.limit;
  if (record !== undefined && !isView(record) && hint === undefined && compileFilter(filter).matchesAll)
    return Math.min(Math.max(0, record.documentCount - skip), limit ?? Number.POSITIVE_INFINITY);
  const find = { filter, collation, ...(hint === undefined ? {} : { hint }) };
  const pace = new Pace(monotonicMs, signal);
  let flow = await pace.make(() => findFlow(surroundings, namespace, find));
  if (skip > 0) flow = skipped(flow, skip);
  if (limit !== undefined) flow = limited(flow, limit);
  const cursor = new FlowCursor(flow, monotonicMs);
  let count = 0;
  while (!cursor.exhausted)
    count += (await cursor.next({ maxDocuments: 10_000, maxBytes: Number.POSITIVE_INFINITY }, signal)).length;
  return count;
}

/** Distinct values of a path as a BSON document `{values: [...]}`. */
export async function distinctValues(
  surroundings: AggregateSurroundings,
  namespace: Namespace,
  query: DistinctQuery,
  signal: AbortSignal,
  monotonicMs: () => number,
): Promise<Uint8Array> {
  const collation = collationThrough(surroundings.state.catalog, namespace, query.collation);
  const find = new Work(() => findFlow(surroundings, namespace, query));
  const found = await new Pace(monotonicMs, signal).finish(find, undefined);
  const cursor = new FlowCursor(distinctFlow(found, query.key, collation), monotonicMs);
  const [result] = await cursor.next({ maxDocuments: 1, maxBytes: Number.POSITIVE_INFINITY }, signal);
  return result as Uint8Array;
}

/** Distinct values of a path, arrays by their elements, as `{values: [...]}`. */
function* distinctFlow(flow: Flow, key: string, collation: Collation | undefined): Flow {
  if (key === "" || key.includes("\0")) throw new EngineError(2, "BadValue", "distinct needs the name of a field");
  if (key.startsWith("$")) throw notSupported("distinct over an expression");
  const path = parsePath(key);
  const values = new Map<string, Value>();
  const keyOf = equalityKeys(collation);
  let bytes = 0;
  const add = (value: Value): void => {
    const name = keyOf(value);
    if (values.has(name)) return;
    values.set(name, value);
    bytes += value.end - value.start + name.length + 32;
    if (bytes > blockingStepMaxBytes) throw cannotSpill("distinct");
  };
  // What is there already is not added again, so that a document may be gone through again.
  const addWork = new Work((document: Uint8Array) => {
    visitPath(document, 0, path, (value) => {
      if (value?.type === bsonType.array) mappedList(allElements(value), add);
      else if (value !== undefined) add(value);
      return false;
    });
  });
  for (const document of flow) {
    if (document === undefined) {
      yield undefined;
      continue;
    }
    yield* addWork.pausing(document);
  }
  const list = yield* new Work(() => arrayOf([...values.values()])).pausing(undefined);
  const result = buildDocument([["values", list]]);
  if (result.length > 16 * 1024 * 1024) throw new EngineError(17_217, "Location17217", "distinct too big, 16mb cap");
  yield documentValue(result).bytes();
}
