import { documentValue, Value } from "./bson/value.ts";
import { arrayValue, buildDocument } from "./bson/builder.ts";
import { encodeKey } from "./bson/key.ts";
import { parsePath, visitPath } from "./bson/path.ts";
import { bsonType } from "./bson/types.ts";
import { elementsOf, fieldsOf } from "./bson/walk.ts";
import { compileStages, expressionCompiler, variablesOf } from "./aggregate/stages.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import type { FindQuery } from "./engine.ts";
import { EngineError, notSupported } from "./engine-error.ts";
import { storedBatches } from "./planner/access.ts";
import { choosePlan } from "./planner/plan.ts";
import { compileFilter, type Filter } from "./query/filter.ts";
import {
  filtered,
  type Flow,
  limited,
  mapped,
  memoryLimit,
  blockingStepMaxBytes,
  skipped,
  sorted,
} from "./query/flow.ts";
import { compileProjection } from "./query/projection.ts";
import { createSortKey, parseSort, type SortField } from "./query/sort.ts";
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
  return plan.sorted ? found : sorted(found, createSortKey(sort), limit);
}

function* unfiltered(connection: Connection, record: CollectionRecord, plan: ReturnType<typeof choosePlan>): Flow {
  for (const batch of storedBatches(connection, record, plan)) {
    for (const { bytes } of batch) yield bytes;
    yield undefined;
  }
}

/** Results of a `find`. */
export function findFlow(state: ReadState, record: CollectionRecord | undefined, query: FindQuery): Flow {
  const variables = variablesOf(query.variables);
  const compile = expressionCompiler(variables);
  // Compiled also without a collection: a bad query is an error wherever it is asked.
  const filter = compileFilter(query.filter, { compileExpression: compile, variables: query.variables });
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

/** Results of an aggregation; its first `$match` and `$sort` use indexes. */
export function aggregateFlow(
  state: ReadState,
  record: CollectionRecord | undefined,
  pipeline: readonly Uint8Array[],
  let_: Uint8Array | undefined,
): Flow {
  const variables = variablesOf(let_);
  const stages = compileStages(pipeline, variables);
  if (record === undefined) return stages.reduce<Flow>((flow, stage) => stage(flow), nothing());
  const first = stageOf(pipeline[0]);
  const quick = quickCount(state, record, pipeline, first);
  if (quick !== undefined) return quick;
  const filter = compileFilter(first?.name === "$match" ? first.value.bytes() : emptyFilter, {
    compileExpression: expressionCompiler(variables),
    variables: let_,
  });
  const rest = first?.name === "$match" ? 1 : 0;
  const sortStage = stageOf(pipeline[rest]);
  const sort =
    sortStage?.name === "$sort" && sortStage.value.type === bsonType.object ? parseSort(sortStage.value.bytes()) : [];
  const plan = choosePlan(record, filter, sort, undefined);
  const found = unfiltered(state.connection, record, plan);
  const matched = filter.matchesAll ? found : filtered(found, (document) => filter.matches(document));
  const done = rest + (sort.length > 0 && plan.sorted ? 1 : 0);
  return stages.slice(done).reduce<Flow>((flow, stage) => stage(flow), matched);
}

const emptyFilter = Uint8Array.of(5, 0, 0, 0, 0);

/** `countDocuments({})` of the drivers: `[{$match: {}}, {$group: {_id: 1, n: {$sum: 1}}}]` is known without reading a document. */
function quickCount(
  _state: ReadState,
  record: CollectionRecord,
  pipeline: readonly Uint8Array[],
  first: Stage | undefined,
): Flow | undefined {
  if (pipeline.length !== 2 || first?.name !== "$match" || first.value.end - first.value.start !== 5) return undefined;
  const second = stageOf(pipeline[1]);
  if (second?.name !== "$group" || record.documentCount === 0) return undefined;
  const [id, total, more] = [...fieldsOf(second.value.bytes())];
  if (
    id?.name !== "_id" ||
    id.value.type !== bsonType.int ||
    total === undefined ||
    more !== undefined ||
    total.value.type !== bsonType.object
  )
    return undefined;
  const [sum, other] = [...fieldsOf(total.value.bytes())];
  if (sum?.name !== "$sum" || other !== undefined || sum.value.type !== bsonType.int || sum.value.bytes()[0] !== 1)
    return undefined;
  return only(
    buildDocument([
      ["_id", id.value],
      [total.name, countValue(record.documentCount)],
    ]),
  );
}

function countValue(count: number): Value {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, count, true);
  return new Value(bsonType.int, bytes);
}

interface Stage {
  readonly name: string;
  readonly value: Value;
}

function stageOf(bytes: Uint8Array | undefined): Stage | undefined {
  if (bytes === undefined) return undefined;
  const [field] = [...fieldsOf(bytes)];
  return field;
}

/** Distinct values of a path, arrays by their elements, as `{values: [...]}`. */
export function* distinctFlow(flow: Flow, key: string): Flow {
  if (key === "" || key.includes("\0")) throw new EngineError(2, "BadValue", "distinct needs the name of a field");
  if (key.startsWith("$")) throw notSupported("distinct over an expression");
  const path = parsePath(key);
  const values = new Map<string, Value>();
  let bytes = 0;
  const add = (value: Value): void => {
    const name = Buffer.from(encodeKey(value)).toString("latin1");
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

function* only(document: Uint8Array): Flow {
  yield document;
}
