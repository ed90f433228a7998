import { documentValue, type Value } from "./bson/value.ts";
import { arrayValue, buildDocument } from "./bson/builder.ts";
import { parsePath, visitPath } from "./bson/path.ts";
import { bsonType } from "./bson/types.ts";
import { elementsOf } from "./bson/walk.ts";
import { compilerIn, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { collationFor } from "./catalog/collection-settings.ts";
import type { FindQuery } from "./engine.ts";
import { EngineError, notSupported } from "./engine-error.ts";
import { storedBatches } from "./planner/access.ts";
import { choosePlan } from "./planner/plan.ts";
import { type Collation, equalityKeys } from "./query/collation.ts";
import { compileFilter, type Filter } from "./query/filter.ts";
import { filtered, type Flow, limited, mapped, memoryLimit, blockingStepMaxBytes, skipped } from "./query/flow.ts";
import { compileProjection } from "./query/projection.ts";
import { createSortOrder, parseSort, type SortField } from "./query/sort.ts";
import { sorted } from "./query/sorted.ts";
import type { ReadState } from "./snapshot-registry.ts";
import type { Connection } from "./storage/database-file.ts";

/** Documents of a collection that fit, in the order asked for. */
export function matchingFlow(
  connection: Connection,
  record: CollectionRecord,
  filter: Filter,
  sort: readonly SortField[],
  hint: string | Uint8Array | undefined,
  limit: number | undefined,
): Flow {
  const plan = choosePlan(record, filter, sort, hint);
  const found = filter.matchesAll
    ? unfiltered(connection, record, plan)
    : filtered(unfiltered(connection, record, plan), (document) => filter.matches(document));
  return plan.sorted ? found : sorted(found, createSortOrder(sort, filter.collation), limit);
}

/** Documents after which is asked whether it is time to give way: what is computed of each may take long. */
const stretchLength = 16;

/** Documents as the plan finds them, which may be more than fit. */
export function* unfiltered(
  connection: Connection,
  record: CollectionRecord,
  plan: ReturnType<typeof choosePlan>,
): Flow {
  for (const batch of storedBatches(connection, record, plan)) {
    for (const [position, { bytes }] of batch.entries()) {
      yield bytes;
      if (position % stretchLength === stretchLength - 1) yield undefined;
    }
    yield undefined;
  }
}

/** Results of a `find`. */
export function findFlow(state: ReadState, record: CollectionRecord | undefined, query: FindQuery): Flow {
  const collation = collationFor(query.collation, record);
  const compile = compilerIn(contextOf(variablesOf(query.variables), collation));
  // Compiled also without a collection: a bad query is an error wherever it is asked.
  const filter = compileFilter(query.filter, { compileExpression: compile, variables: query.variables, collation });
  const sort = query.sort === undefined ? [] : parseSort(query.sort);
  const project =
    query.projection === undefined
      ? undefined
      : compileProjection(query.projection, { find: true, compileExpression: compile, filter });
  if (record === undefined) return nothing();
  const skip = query.skip ?? 0;
  const limit = query.limit === undefined || query.limit === 0 ? undefined : query.limit;
  let flow = matchingFlow(
    state.connection,
    record,
    filter,
    sort,
    query.hint,
    limit === undefined ? undefined : limit + skip,
  );
  if (skip > 0) flow = skipped(flow, skip);
  if (limit !== undefined) flow = limited(flow, limit);
  return project === undefined ? flow : mapped(flow, project);
}

/** Distinct values of a path, arrays by their elements, as `{values: [...]}`. */
export function* distinctFlow(flow: Flow, key: string, collation: Collation | undefined): Flow {
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
    if (bytes > blockingStepMaxBytes) throw memoryLimit("distinct");
  };
  for (const document of flow) {
    if (document === undefined) {
      yield undefined;
      continue;
    }
    visitPath(document, 0, path, (value) => {
      if (value !== undefined) for (const one of value.type === bsonType.array ? elementsOf(value) : [value]) add(one);
      return false;
    });
  }
  const result = buildDocument([["values", arrayValue(values.values())]]);
  if (result.length > 16 * 1024 * 1024) throw new EngineError(17_217, "Location17217", "distinct too big, 16mb cap");
  yield documentValue(result).bytes();
}

function* nothing(): Flow {}
