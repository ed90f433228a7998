import { EngineError, located } from "../engine-error.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import { textOf, type Value, wholeNumberOf } from "../bson/value.ts";
import type { Field } from "../bson/walk.ts";
import type { CollectionRecord } from "../catalog/catalog.ts";
import type { DatabaseStages, Namespace } from "../engine.ts";
import type { Filter } from "../query/filter.ts";
import { type Flow, memoryOnly, type Room } from "../query/flow.ts";
import type { SortField } from "../query/sort.ts";
import type { ExpressionContext } from "./context.ts";

/** A stage made ready. */
export type Stage = (flow: Flow) => Flow;

/** What a name stands for: a stored collection, undefined when there is none, and the stages of the views between it and the name. */
export interface ResolvedNamespace {
  readonly namespace: Namespace;
  readonly record: CollectionRecord | undefined;
  readonly pipeline: readonly Uint8Array[];
}

/** The state that a pipeline reads. */
export interface PipelineSource {
  resolve(namespace: Namespace): ResolvedNamespace;
  /** Documents that fit, and whether they come in the order asked for. */
  read(
    record: CollectionRecord,
    filter: Filter,
    sort: readonly SortField[],
    hint: string | Uint8Array | undefined,
  ): { readonly flow: Flow; readonly sorted: boolean };
  /** A number from 0 up to 1. */
  readonly random: () => number;
  readonly nowMs: number;
  /** What a step that holds documents may use. */
  readonly room: Room;
  /** When the data file was opened, from which uses of indexes are counted. */
  readonly openedMs: number;
}

/** What a whole pipeline is compiled in. */
export interface PipelineSurroundings {
  readonly expressions: ExpressionContext;
  /** Undefined where a pipeline may see nothing but its documents: in updates. */
  readonly source: PipelineSource | undefined;
  /** The namespace the pipeline runs on; its collection is empty on a database. */
  readonly namespace: Namespace;
  /** Stages on a database that the caller knows and the engine does not. */
  readonly databaseStages?: DatabaseStages | undefined;
  /** Index that the documents of the namespace are to be found by: a name or a key pattern. */
  readonly hint?: string | Uint8Array | undefined;
  /** Names of the stages that this pipeline stands in. */
  readonly within: readonly string[];
}

/** What one stage is compiled in. */
export interface StagePlace extends PipelineSurroundings {
  readonly name: string;
  /** The stages behind this one. */
  readonly following: readonly Field[];
  /** Compiles a pipeline over the documents it will be given. */
  readonly compile: (pipeline: readonly Uint8Array[], surroundings: PipelineSurroundings) => Stage;
  /** Compiles a pipeline over a collection or view, or, with no namespace, over what its first stage gives. Each call of the result reads anew. */
  readonly compileRead: (
    namespace: Namespace | undefined,
    pipeline: readonly Uint8Array[],
    surroundings: PipelineSurroundings,
  ) => () => Flow;
}

/** Makes a stage of its argument. */
export type StageFactory = (argument: Value, place: StagePlace) => Stage;

export interface StageDefinition {
  readonly compile: StageFactory;
  /** Where it may stand: `first` gives documents of its own, `last` writes them away. */
  readonly position?: "first" | "last";
  /** Stands on a database instead of a collection: `{aggregate: 1}`. */
  readonly onDatabase?: boolean;
  /** Stages in whose pipelines it must not stand. */
  readonly notWithin?: readonly string[];
}

/** What the stage may use to hold documents. */
export function roomOf({ source }: Pick<PipelineSurroundings, "source">): Room {
  return source?.room ?? memoryOnly;
}

/** The stage's argument, which has to be a document. */
export function objectOf(value: Value, name: string, code: number): Uint8Array {
  if (value.type !== bsonType.object)
    throw located(code, `the ${name} specification must be an object, but found ${typeName(value.type)}`);
  return value.bytes();
}

/** Where a stage reads other collections. Throws 72 where it must not. */
export function sourceOf(place: StagePlace): PipelineSource {
  if (place.source === undefined)
    throw new EngineError(72, "InvalidOptions", `${place.name} is not allowed to be used within an update`);
  return place.source;
}

/** A whole number, also given as a double. */
export function wholeOf(value: Value | undefined): number | undefined {
  return value === undefined || !isNumberType(value.type) ? undefined : wholeNumberOf(value);
}

/** A text that must be there. */
export function textIn(value: Value | undefined, code: number, what: string): string {
  if (value?.type !== bsonType.string) throw located(code, `${what} must be a string`);
  return textOf(value);
}
