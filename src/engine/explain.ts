import { arrayValue, buildDocument, objectValue } from "./bson/builder.ts";
import { bsonType, isNumberType } from "./bson/types.ts";
import { boolValue, documentValue, figureValue, int32Value, stringValue, type Value } from "./bson/value.ts";
import { fieldsOf } from "./bson/walk.ts";
import { aggregateFlow, type AggregateSurroundings } from "./aggregate-command.ts";
import { compilerIn, variablesOf } from "./aggregate/compiler.ts";
import { contextOf } from "./aggregate/context.ts";
import { collationThrough, resolve } from "./catalog/views.ts";
import type { CollectionRecord } from "./catalog/catalog.ts";
import type { ExplainRequest, Namespace } from "./engine.ts";
import { storedFlow } from "./planner/access.ts";
import { describePlan, parsedQuery, type PlanFigures, stage } from "./planner/describe-plan.ts";
import type { Plan } from "./planner/plan.ts";
import { compileFilter, type Filter } from "./query/filter.ts";
import { blockingStepMaxBytes, type Flow, type Room, roomFor } from "./query/flow.ts";
import { createSortOrder, parseSort, type SortField } from "./query/sort.ts";
import { naturalOrder, plansFor, refuseOnView } from "./read-commands.ts";
import { sorted } from "./query/sorted.ts";
import { Work } from "./steps.ts";
import type { Pace } from "./storage/turns.ts";

type Fields = readonly (readonly [string, Value])[];

/**
 * What `explain` says of an operation: `queryPlanner`, and with `execute` `executionStats` of a run that changes nothing. Throws what the operation itself throws for
 * a bad query or hint.
 */
export async function explain(
  surroundings: AggregateSurroundings,
  namespace: Namespace,
  request: ExplainRequest,
  pace: Pace,
  monotonicMs: () => number,
): Promise<Uint8Array> {
  const { catalog } = surroundings.state;
  const startedMs = monotonicMs();
  const { isView } = resolve(catalog, namespace);
  if (isView) refuseOnView(request);
  if (request.pipeline !== undefined || isView)
    return buildDocument(await explainPipeline(surroundings, namespace, request, { pace, monotonicMs }));
  const access = accessOf(surroundings, namespace, request);
  const figures = request.execute ? await run(surroundings, access, request, pace) : undefined;
  const durationMs = monotonicMs() - startedMs;
  const trials: Trial[] = [];
  // With one plan there is no choice to be explained.
  if (request.allPlans && access.plans.length > 1)
    for (const plan of access.plans) {
      const begunMs = monotonicMs();
      const tried = await run(surroundings, { ...access, plans: [plan] }, request, pace, trial);
      trials.push({ plan, figures: tried, durationMs: monotonicMs() - begunMs });
    }
  return buildDocument(planFields(access, namespace, request, figures, durationMs, trials));
}

/** How a plan does at the beginning, as `allPlansExecution` shows it. */
interface Trial {
  readonly plan: Plan;
  readonly figures: RunFigures;
  readonly durationMs: number;
}

/** How far a plan is tried: results, or documents looked at for them (manual, "Query Plans"). */
const trial = { results: 101, examined: 10_000 };

/** The plans for an operation's documents, the one that is used first. */
interface Access {
  readonly record: CollectionRecord | undefined;
  readonly filter: Filter;
  readonly sort: readonly SortField[];
  readonly plans: readonly Plan[];
}

function accessOf(
  { state, moment, random }: AggregateSurroundings,
  namespace: Namespace,
  request: ExplainRequest,
): Access {
  const collation = collationThrough(state.catalog, namespace, request.collation);
  const compileExpression = compilerIn(contextOf(variablesOf(request.variables, moment, random), collation, random));
  const filter = compileFilter(request.filter, { compileExpression, variables: request.variables, collation });
  const natural = request.sort === undefined ? undefined : naturalOrder(request.sort);
  const sort = request.sort === undefined || natural !== undefined ? [] : parseSort(request.sort);
  const record = state.catalog.find(namespace);
  const plans =
    record === undefined ? [] : plansFor(record, filter, sort, { ...request, hint: natural ?? request.hint });
  return { record, filter, sort, plans };
}

interface RunFigures {
  readonly access: PlanFigures;
  readonly returned: number;
  /** Of a sort in memory or on the disk. */
  readonly sorting?: { readonly sizeBytes: number; readonly usedDisk: boolean } | undefined;
}

/** Reads what the operation would read, and stops where it would. */
async function run(
  { state, room }: AggregateSurroundings,
  { record, filter, sort, plans }: Access,
  { skip = 0, limit = 0, allowDiskUse }: ExplainRequest,
  pace: Pace,
  most: typeof trial = { results: Number.POSITIVE_INFINITY, examined: Number.POSITIVE_INFINITY },
): Promise<RunFigures> {
  const [plan] = plans;
  const figures = { keysExamined: 0, docsExamined: 0, matched: 0 };
  if (record === undefined || plan === undefined) return { access: figures, returned: 0 };
  const read = { keysExamined: 0, docsExamined: 0 };
  const blocking = sort.length > 0 && !plan.sorted;
  const enough = blocking ? Number.POSITIVE_INFINITY : Math.min(most.results, limit === 0 ? Infinity : limit + skip);
  const flow = storedFlow(state.connection, record, plan, read);
  const matches = new Work((document: Uint8Array) => filter.matches(document));
  const sorting = { sizeBytes: 0, usedDisk: false };
  function* matched(): Flow {
    for (const document of flow) {
      if (document !== undefined) {
        figures.docsExamined += 1;
        if (!(yield* matches.pausing(document))) continue;
        figures.matched += 1;
        sorting.sizeBytes += document.length;
      }
      yield document;
      if (figures.matched >= enough || figures.docsExamined >= most.examined) return;
    }
  }
  const given = roomFor(room, allowDiskUse);
  const { openFile } = given;
  const watched: Room = {
    memoryMaxBytes: given.memoryMaxBytes,
    openFile: openFile && (() => ((sorting.usedDisk = true), openFile())),
  };
  const order = createSortOrder(sort, filter.collation);
  const results = blocking ? sorted(matched(), order, limit === 0 ? undefined : limit + skip, watched) : matched();
  for (const _ of results) if (pace.due) await pace.rest();
  // Keys are read some ahead; where each is one document's they are told as far as documents were asked for.
  const each = plan.kind === "keys" && plan.index?.multikey !== true;
  figures.keysExamined = plan.kind === "scan" ? 0 : each ? figures.docsExamined : read.keysExamined;
  const returned = Math.min(Math.max(0, figures.matched - skip), limit === 0 ? Number.POSITIVE_INFINITY : limit);
  return { access: figures, returned, sorting: blocking ? sorting : undefined };
}

function planFields(
  access: Access,
  namespace: Namespace,
  request: ExplainRequest,
  figures: RunFigures | undefined,
  durationMs: number,
  trials: readonly Trial[] = [],
): Fields {
  const { filter, plans } = access;
  const [winning, ...rejected] = plans;
  const tree = (plan: Plan | undefined, counted: RunFigures | undefined): Value =>
    plan === undefined
      ? outer(stage("EOF", [], counted && [["nReturned", int32Value(0)]]), undefined, access, request, counted)
      : outer(describePlan(plan, filter, counted?.access), plan, access, request, counted);
  const planner: [string, Value] = [
    "queryPlanner",
    objectValue([
      ["namespace", stringValue(`${namespace.database}.${namespace.collection}`)],
      ["parsedQuery", parsedQuery(filter.query)],
      ["indexFilterSet", boolValue(false)],
      ...(filter.collation === undefined
        ? []
        : ([["collation", documentValue(filter.collation.specification)]] as const)),
      ["maxIndexedOrSolutionsReached", boolValue(false)],
      ["maxIndexedAndSolutionsReached", boolValue(false)],
      ["maxScansToExplodeReached", boolValue(false)],
      ["winningPlan", tree(winning, undefined)],
      ["rejectedPlans", arrayValue(rejected.map((plan) => tree(plan, undefined)))],
    ]),
  ];
  if (figures === undefined) return [planner];
  const changes = request.change !== undefined;
  const tried = (one: Trial): Value =>
    objectValue([
      ["nReturned", int32Value(changes ? 0 : one.figures.returned)],
      ["executionTimeMillisEstimate", int32Value(Math.round(one.durationMs))],
      ["totalKeysExamined", int32Value(one.figures.access?.keysExamined ?? 0)],
      ["totalDocsExamined", int32Value(one.figures.access?.docsExamined ?? 0)],
      ["executionStages", tree(one.plan, one.figures)],
    ]);
  return [
    planner,
    [
      "executionStats",
      objectValue([
        ["executionSuccess", boolValue(true)],
        ["nReturned", int32Value(changes ? 0 : figures.returned)],
        ["executionTimeMillis", int32Value(Math.round(durationMs))],
        ["totalKeysExamined", int32Value(figures.access?.keysExamined ?? 0)],
        ["totalDocsExamined", int32Value(figures.access?.docsExamined ?? 0)],
        ["executionStages", tree(winning, figures)],
        ...(request.allPlans ? ([["allPlansExecution", arrayValue(trials.map(tried))]] as const) : []),
      ]),
    ],
  ];
}

/** The stages over those that find documents, from the innermost out. */
function outer(
  found: Value,
  plan: Plan | undefined,
  { sort }: Access,
  request: ExplainRequest,
  figures: RunFigures | undefined,
): Value {
  const { skip = 0, limit = 0 } = request;
  let tree = found;
  let left = figures?.access?.matched ?? 0;
  const over = (name: string, fields: Fields, counted: Fields = [["nReturned", int32Value(left)]]): void => {
    tree = stage(name, [...fields, ["inputStage", tree]], figures === undefined ? undefined : counted);
  };
  if (sort.length > 0 && plan?.sorted === false) {
    if (limit > 0) left = Math.min(left, limit + skip);
    over("SORT", [
      ["sortPattern", documentValue(request.sort as Uint8Array)],
      ["memLimit", int32Value(blockingStepMaxBytes)],
      ...(limit > 0 ? ([["limitAmount", int32Value(limit + skip)]] as const) : []),
      ["type", stringValue("simple")],
      ...(figures?.sorting === undefined
        ? []
        : ([
            ["totalDataSizeSorted", figureValue(figures.sorting.sizeBytes)],
            ["usedDisk", boolValue(figures.sorting.usedDisk)],
          ] as const)),
    ]);
  }
  if (skip > 0) {
    left = Math.max(0, left - skip);
    over("SKIP", [["skipAmount", int32Value(skip)]]);
  }
  if (limit > 0) {
    left = Math.min(left, limit);
    over("LIMIT", [["limitAmount", int32Value(limit)]]);
  }
  if (request.returnKey === true) over("RETURN_KEY", []);
  else if (request.projection !== undefined && request.projection.length > 5)
    over(isSimple(request.projection) ? "PROJECTION_SIMPLE" : "PROJECTION_DEFAULT", [
      ["transformBy", documentValue(request.projection)],
    ]);
  if (request.count === true)
    over(
      "COUNT",
      [],
      [
        ["nReturned", int32Value(0)],
        ["nCounted", int32Value(figures?.returned ?? 0)],
        ["nSkipped", int32Value(skip)],
      ],
    );
  if (request.change === "delete")
    over(
      "DELETE",
      [],
      [
        ["nReturned", int32Value(0)],
        ["nWouldDelete", int32Value(left)],
      ],
    );
  if (request.change === "update")
    over(
      "UPDATE",
      [],
      [
        ["nReturned", int32Value(0)],
        ["nMatched", int32Value(left)],
        ["nWouldModify", int32Value(left)],
      ],
    );
  return tree;
}

/** Fields of the document itself, in or out. */
function isSimple(projection: Uint8Array): boolean {
  return [...fieldsOf(projection)].every(
    ({ name, value }) => !name.includes(".") && (isNumberType(value.type) || value.type === bsonType.bool),
  );
}

/** A pipeline: how its first stages find documents, then the stages that are run over these. */
async function explainPipeline(
  surroundings: AggregateSurroundings,
  namespace: Namespace,
  request: ExplainRequest,
  { pace, monotonicMs }: { readonly pace: Pace; readonly monotonicMs: () => number },
): Promise<Fields> {
  const startedMs = monotonicMs();
  const { variables, hint, collation } = request;
  const stages = request.pipeline ?? viewStages(request);
  let access: Access | undefined;
  const figures = { keysExamined: 0, docsExamined: 0 };
  const observe: AggregateSurroundings["observe"] = (record, filter, sort, plan) => {
    // Stages further on read too; what is shown is how the pipeline begins.
    if (access !== undefined) return undefined;
    access = { record, filter, sort, plans: [plan] };
    return figures;
  };
  const flow = aggregateFlow({ ...surroundings, observe }, namespace, {
    pipeline: stages,
    variables,
    hint,
    collation,
    allowDiskUse: request.allowDiskUse,
  });
  const resolved = resolve(surroundings.state.catalog, namespace);
  const pipeline = [...resolved.pipeline, ...stages];
  const returned = request.execute ? await countOf(flow, pace) : 0;
  const matched = { ...figures, matched: figures.docsExamined };
  const found = access ?? { record: undefined, filter: compileFilter(buildDocument([])), sort: [], plans: [] };
  const rest = pipeline.slice(stagesDone(pipeline, found));
  const counted = request.execute
    ? { access: matched, returned: rest.length === 0 ? returned : matched.matched }
    : undefined;
  const plain = { execute: request.execute, allPlans: request.allPlans, filter: request.filter };
  const fields = planFields(found, resolved.namespace, plain, counted, monotonicMs() - startedMs);
  if (rest.length === 0) return fields;
  return [["stages", arrayValue([objectValue([["$cursor", objectValue(fields)]]), ...rest.map(documentValue)])]];
}

/** A `find` on a view as the pipeline it is. */
function viewStages({ filter, sort, skip = 0, limit = 0, projection }: ExplainRequest): readonly Uint8Array[] {
  const stages: [string, Value][] = [["$match", documentValue(filter)]];
  if (sort !== undefined && sort.length > 5) stages.push(["$sort", documentValue(sort)]);
  if (skip > 0) stages.push(["$skip", int32Value(skip)]);
  if (limit > 0) stages.push(["$limit", int32Value(limit)]);
  if (projection !== undefined && projection.length > 5) stages.push(["$project", documentValue(projection)]);
  return stages.map((one) => buildDocument([one]));
}

/** How many of the first stages are the access itself: `$match`, and a `$sort` whose order the keys have. */
function stagesDone(pipeline: readonly Uint8Array[], { plans, sort }: Access): number {
  const names = pipeline.slice(0, 2).map((one) => [...fieldsOf(one)][0]?.name);
  const matched = names[0] === "$match" ? 1 : 0;
  return matched + (names[matched] === "$sort" && sort.length > 0 && plans[0]?.sorted === true ? 1 : 0);
}

async function countOf(flow: Flow, pace: Pace): Promise<number> {
  let count = 0;
  for (const document of flow) {
    if (document !== undefined) count += 1;
    if (pace.due) await pace.rest();
  }
  return count;
}
