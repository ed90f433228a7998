import { EngineError, failedToParse, notSupported } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { equalBytes } from "../bson/bytes.ts";
import { bsonType, typeName } from "../bson/types.ts";
import { validateStructure } from "../bson/validate.ts";
import type { Value } from "../bson/value.ts";
import { type Field, fieldsOf, fieldsOfValue, getField } from "../bson/walk.ts";
import type { Collation } from "../query/collation.ts";
import type { Filter } from "../query/filter.ts";
import { type Loop, looped } from "../steps.ts";
import { type ArrayFilters, compileArrayFilters } from "./array-filters.ts";
import { refuseBadId, refuseChangedId } from "./document-id.ts";
import { changeAt, MutableDocument } from "./mutable.ts";
import { operatorsThatNeverCreate, updateOperators } from "./operators/index.ts";
import type { OperatorChange, UpdateMoment } from "./operators/operator.ts";
import { $rename, moveField } from "./operators/rename.ts";
import { comparePaths, isPositional, refuseConflicts, refuseDollarPrefix, segmentsOf } from "./paths.ts";
import { type CompilePipeline, compilePipelineUpdate } from "./pipeline.ts";
import { placesOf } from "./places.ts";

export type { UpdateMoment };

export interface UpdateRun {
  /** The filter that chose the document, for the positional `$`. */
  readonly filter: Filter;
  readonly moment: UpdateMoment;
  /** Whether the document is being made by an upsert. */
  readonly inserting: boolean;
}

/** An update made ready. Answers the new bytes, or the same array when nothing changes. Throws 66 ImmutableField and others. */
export type Update = (document: Uint8Array, run: UpdateRun) => Uint8Array;

export interface UpdateOptions {
  readonly arrayFilters?: readonly Uint8Array[] | undefined;
  readonly collation?: Collation | undefined;
  /** Without it updates given as pipelines are refused. */
  readonly compilePipeline?: CompilePipeline | undefined;
}

interface Step {
  readonly segments: readonly string[];
  readonly change: OperatorChange;
  /** Whether what is missing on the way, and the place itself, is made. */
  readonly create: boolean;
  readonly onlyOnInsert: boolean;
  /** `$rename`: where the value goes. */
  readonly target: readonly string[] | undefined;
}

/** Compiles an update document, a replacement or a pipeline (manual, "Update Operators"). Throws 9 FailedToParse, 40 ConflictingUpdateOperators and others. */
export function compileUpdate(update: Uint8Array | readonly Uint8Array[], options: UpdateOptions = {}): Update {
  const { arrayFilters = [], collation } = options;
  if (update instanceof Uint8Array && isOperatorUpdate(update))
    return checked(compileOperators(update, arrayFilters, collation));
  if (arrayFilters.length > 0)
    throw failedToParse(
      `arrayFilters may not be specified for ${update instanceof Uint8Array ? "replacement" : "pipeline"}-style updates`,
    );
  if (update instanceof Uint8Array) return checked(compileReplacement([...fieldsOf(update)]));
  if (options.compilePipeline === undefined) throw notSupported("an update given as a pipeline");
  return checked(compilePipelineUpdate(update, options.compilePipeline));
}

/** Whether an update puts another document in the place of the one there is. */
export function isReplacement(update: Uint8Array | readonly Uint8Array[]): boolean {
  return update instanceof Uint8Array && !isOperatorUpdate(update);
}

function isOperatorUpdate(update: Uint8Array): boolean {
  const first = fieldsOf(update).next();
  return first.done !== true && first.value.name.startsWith("$");
}

/** What holds for every kind of update: `_id` stays, and a document that did not change is given back as it is. */
function checked(update: Update): Update {
  return (document, run) => {
    const result = update(document, run);
    if (equalBytes(document, result)) {
      if (run.inserting) refuseBadId(getField(document, "_id"));
      return document;
    }
    refuseChangedId(document, result, run.inserting);
    // Values put into values may lead deeper than documents can be.
    validateStructure(result);
    if (run.inserting) refuseBadId(getField(result, "_id"));
    return result;
  };
}

function compileReplacement(fields: readonly Field[]): Update {
  for (const { name } of fields) {
    if (name.startsWith("$"))
      throw new EngineError(
        52,
        "DollarPrefixedFieldName",
        `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
  }
  const givenId = fields.find(({ name }) => name === "_id")?.value;
  const rest = fields.filter(({ name }) => name !== "_id").map(({ name, value }) => [name, value] as const);
  return (document) => {
    // A given `_id` that is equal in value but of another type is compared afterwards and dropped here.
    const old = getField(document, "_id");
    const replacement = (id: Value): Uint8Array => buildDocument([["_id", id], ...rest]);
    if (old !== undefined && givenId !== undefined) refuseChangedId(document, replacement(givenId), false);
    const id = old ?? givenId;
    return id === undefined ? buildDocument(rest) : replacement(id);
  };
}

function compileOperators(
  update: Uint8Array,
  arrayFilters: readonly Uint8Array[],
  collation: Collation | undefined,
): Update {
  const steps = [...fieldsOf(update)].flatMap(({ name, value }) => {
    if (name !== "$rename" && !updateOperators.has(name)) throw unknownModifier(name);
    if (value.type !== bsonType.object)
      throw failedToParse(
        `Modifiers operate on fields but we found type ${typeName(value.type)} instead. For example: {$mod: {<field>: ...}} not {${name}: ...}`,
      );
    return Array.from(fieldsOfValue(value), (field) => compileStep(name, field.name, field.value, collation));
  });
  refuseConflicts(steps.flatMap(({ segments, target }) => (target === undefined ? [segments] : [segments, target])));
  const filters = compileArrayFilters(
    arrayFilters,
    steps.map(({ segments }) => segments),
    collation,
  );
  const ordered = steps.toSorted((one, other) =>
    comparePaths(one.target ?? one.segments, other.target ?? other.segments),
  );
  const positional = ordered.length > 1 && ordered.some(({ segments }) => segments.some(isPositional));
  return (document, run) => {
    const wanted = ordered.filter((step) => run.inserting || !step.onlyOnInsert);
    if (!run.inserting) for (const step of wanted) refuseDollarPrefix(step.target ?? step.segments);
    const { root, reached } = looped(applying, { steps: wanted, document, run, arrayFilters: filters });
    if (positional) refuseConflicts(reached);
    if (run.inserting) root.putFirst("_id");
    return root.toBytes();
  };
}

interface Application {
  readonly steps: readonly Step[];
  readonly document: Uint8Array;
  readonly run: UpdateRun;
  readonly arrayFilters: ArrayFilters;
}

interface Applying extends Application {
  readonly root: MutableDocument;
  /** The exact places that were reached. */
  readonly reached: (readonly string[])[];
  /** Steps that are done. */
  done: number;
  /** Places of the step that is being done, and how many of them are done. */
  places: readonly (readonly string[])[] | undefined;
  placesDone: number;
}

/** Changes a document place by place, of which there may be one for each element of an array. */
const applying: Loop<Application, Applying, Pick<Applying, "root" | "reached">> = {
  begin: (application) => ({
    ...application,
    root: MutableDocument.of(application.document),
    reached: [],
    done: 0,
    places: undefined,
    placesDone: 0,
  }),
  step: (state) => {
    const { root, document, arrayFilters } = state;
    const { filter, moment } = state.run;
    const step = state.steps[state.done];
    if (step === undefined) return false;
    if (step.target !== undefined) {
      moveField(root, step.segments, step.target);
      state.reached.push(step.segments, step.target);
      state.done += 1;
      return true;
    }
    state.places ??= placesOf({ document, filter, arrayFilters, root }, step.segments);
    const place = state.places[state.placesDone];
    if (place === undefined) {
      Object.assign(state, { done: state.done + 1, places: undefined, placesDone: 0 });
      return true;
    }
    changeAt(root, place, (current) => step.change(current, moment), step.create, place.join("."));
    state.reached.push(place);
    state.placesDone += 1;
    return true;
  },
  end: ({ root, reached }) => ({ root, reached }),
};

function compileStep(operator: string, path: string, argument: Value, collation: Collation | undefined): Step {
  const segments = segmentsOf(path);
  const step = { segments, create: !operatorsThatNeverCreate.has(operator), onlyOnInsert: operator === "$setOnInsert" };
  if (operator === "$rename") return { ...step, change: (current) => current, target: $rename(argument, path) };
  const make = updateOperators.get(operator);
  if (make === undefined) throw unknownModifier(operator);
  return { ...step, change: make(argument, path, collation), target: undefined };
}

function unknownModifier(name: string): EngineError {
  return failedToParse(
    `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
  );
}
