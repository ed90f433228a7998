import { refuseTooLarge } from "./storage/collection-writer.ts";
import { buildDocument } from "./bson/builder.ts";
import { bsonType } from "./bson/types.ts";
import { int32Value } from "./bson/value.ts";
import { type Field, fieldsOf } from "./bson/walk.ts";
import { type Moment, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import { compileRead, stageField } from "./aggregate/pipeline.ts";
import type { PipelineSource } from "./aggregate/stage.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import { collationThrough, isView, resolve } from "./catalog/views.ts";
import type { AggregateQuery, Namespace } from "./engine.ts";
import { type AccessFigures, storedFlow } from "./planner/access.ts";
import { choosePlan, type Plan } from "./planner/plan.ts";
import type { Filter } from "./query/filter.ts";
import { type Flow, mapped, type Room, roomFor } from "./query/flow.ts";
import type { SortField } from "./query/sort.ts";
import type { ReadState } from "./snapshot-registry.ts";

/** Where and when an aggregation runs. */
export interface AggregateSurroundings {
  readonly state: ReadState;
  readonly moment: Moment;
  readonly random: () => number;
  readonly openedMs: number;
  /** What a step that holds documents may use. */
  readonly room: Room;
  /** Told of each way to stored documents that is chosen; answers where to count what is looked at. */
  readonly observe?:
    | ((record: CollectionRecord, filter: Filter, sort: readonly SortField[], plan: Plan) => AccessFigures | undefined)
    | undefined;
}

/** Results of an aggregation. */
export function aggregateFlow(
  { state, moment, random, openedMs, room, observe }: AggregateSurroundings,
  namespace: Namespace,
  query: AggregateQuery,
): Flow {
  const source: PipelineSource = {
    resolve: (wanted) => resolve(state.catalog, wanted),
    read: (record, filter, sort, hint) => {
      const plan = choosePlan(record, filter, sort, hint);
      return {
        flow: storedFlow(state.connection, record, plan, observe?.(record, filter, sort, plan)),
        sorted: plan.sorted,
      };
    },
    random,
    nowMs: moment.nowMs,
    openedMs,
    room: roomFor(room, query.allowDiskUse),
  };
  const record = state.catalog.find(namespace);
  const open = compileRead(namespace, query.pipeline, {
    expressions: contextOf(
      variablesOf(query.variables, moment, random),
      collationThrough(state.catalog, namespace, query.collation),
      random,
    ),
    source,
    namespace,
    hint: query.hint,
    databaseStages: query.databaseStages,
    within: [],
  });
  return (
    (record === undefined || isView(record) ? undefined : quickCount(record, query.pipeline)) ??
    // Stages may make larger documents for each other than a client may be given.
    mapped(open(), refuseTooLarge)
  );
}

/** `countDocuments({})` of the drivers: `[{$match: {}}, {$group: {_id: 1, n: {$sum: 1}}}]` is known without reading a document. */
function quickCount(record: CollectionRecord, pipeline: readonly Uint8Array[]): Flow | undefined {
  const [match, group, more] = pipeline.map(stageField);
  if (more !== undefined || match?.name !== "$match" || group?.name !== "$group" || record.documentCount === 0)
    return undefined;
  if (match.value.end - match.value.start !== 5) return undefined;
  const [id, total, other] = [...fieldsOf(group.value.bytes())];
  if (id?.name !== "_id" || id.value.type !== bsonType.int || total === undefined || other !== undefined)
    return undefined;
  return countsOnes(total)
    ? only(
        buildDocument([
          ["_id", id.value],
          [total.name, int32Value(record.documentCount)],
        ]),
      )
    : undefined;
}

/** `{$sum: 1}`. */
function countsOnes({ value }: Field): boolean {
  if (value.type !== bsonType.object) return false;
  const [sum, other] = [...fieldsOf(value.bytes())];
  return sum?.name === "$sum" && other === undefined && sum.value.type === bsonType.int && sum.value.bytes()[0] === 1;
}

function* only(document: Uint8Array): Flow {
  yield document;
}
