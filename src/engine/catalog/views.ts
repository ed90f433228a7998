import { EngineError, typeMismatch } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { textOf } from "../bson/value.ts";
import { elementsOf, getField } from "../bson/walk.ts";
import type { Namespace } from "../engine.ts";
import { type Collation, parseCollation } from "../query/collation.ts";
import type { Catalog, CollectionRecord } from "./catalog.ts";
import { settingsOf } from "./collection-settings.ts";

/** Views on views on a collection, at most (manual, "Views"). */
const viewDepthMax = 20;

/** What a view shows: stages over another collection or view of its database. */
export interface View {
  readonly viewOn: string;
  readonly pipeline: readonly Uint8Array[];
}

/** A name followed through views to the collection that is stored. */
export interface Resolved {
  readonly namespace: Namespace;
  /** Undefined when there is no such collection. */
  readonly record: CollectionRecord | undefined;
  /** Stages of all views on the way, the first to run first. */
  readonly pipeline: readonly Uint8Array[];
  /** Whether the name was a view's. */
  readonly isView: boolean;
}

/** The view that options describe; undefined for a collection's. Throws 14, 40414 for options that are no view's. */
export function viewOf(options: Uint8Array): View | undefined {
  const viewOn = getField(options, "viewOn");
  const pipeline = getField(options, "pipeline");
  if (viewOn === undefined) return undefined;
  if (viewOn.type !== bsonType.string) throw typeMismatch("BSON field 'create.viewOn' must be a string");
  if (pipeline !== undefined && pipeline.type !== bsonType.array)
    throw typeMismatch("BSON field 'create.pipeline' must be an array");
  const stages = pipeline === undefined ? [] : elementsOf(pipeline);
  if (stages.some((stage) => stage.type !== bsonType.object))
    throw typeMismatch("Each element of the 'pipeline' array must be an object");
  return { viewOn: textOf(viewOn), pipeline: stages.map((stage) => stage.bytes()) };
}

export function isView({ options }: Pick<CollectionRecord, "options">): boolean {
  return getField(options, "viewOn") !== undefined;
}

/** Follows a name through views. Throws 165 ViewDepthLimitExceeded. */
export function resolve(catalog: Catalog, wanted: Namespace): Resolved {
  let namespace = wanted;
  let pipeline: readonly Uint8Array[] = [];
  for (let depth = 0; depth <= viewDepthMax; depth += 1) {
    const record = catalog.find(namespace);
    const view = record === undefined ? undefined : viewOf(record.options);
    if (view === undefined) return { namespace, record, pipeline, isView: depth > 0 };
    pipeline = [...view.pipeline, ...pipeline];
    namespace = { database: wanted.database, collection: view.viewOn };
  }
  throw new EngineError(
    165,
    "ViewDepthLimitExceeded",
    `View depth too deep or view cycle detected; maximum depth is ${viewDepthMax}`,
  );
}

/** The collation of a read through a name: a view has its own, which a command must not change. Throws 167 OptionNotSupportedOnView. */
export function collationThrough(
  catalog: Catalog,
  namespace: Namespace,
  given: Uint8Array | undefined,
): Collation | undefined {
  const record = catalog.find(namespace);
  const own = record === undefined ? undefined : settingsOf(record).collation;
  if (given === undefined || given.length === 5) return own;
  const asked = parseCollation(given);
  if (record !== undefined && isView(record) && asked?.name !== own?.name)
    throw new EngineError(
      167,
      "OptionNotSupportedOnView",
      `Cannot override default collation of the view ${namespace.database}.${namespace.collection}`,
    );
  return asked;
}

/** Throws 166 CommandNotSupportedOnView. */
export function refuseView(record: CollectionRecord | undefined): void {
  if (record !== undefined && isView(record))
    throw new EngineError(
      166,
      "CommandNotSupportedOnView",
      `Namespace ${record.database}.${record.name} is a view, not a collection`,
    );
}

/**
 * Whether a view may be: what it stands on does not lead back to it, is not too deep, and has the same collation. Throws 5 GraphContainsCycle, 165 and 167.
 */
export function refuseCycle(catalog: Catalog, namespace: Namespace, options: Uint8Array): void {
  const view = viewOf(options);
  if (view === undefined) return;
  let collection = view.viewOn;
  for (let depth = 1; depth <= viewDepthMax; depth += 1) {
    if (collection === namespace.collection)
      throw new EngineError(
        5,
        "GraphContainsCycle",
        `View cycle detected: ${namespace.database}.${namespace.collection}`,
      );
    const record = catalog.find({ database: namespace.database, collection });
    const next = record === undefined ? undefined : viewOf(record.options);
    if (record === undefined || next === undefined) return;
    if (settingsOf(record).collation?.name !== settingsOf({ options }).collation?.name)
      throw new EngineError(
        167,
        "OptionNotSupportedOnView",
        `View ${namespace.collection} has conflicting collation with view ${record.name}`,
      );
    collection = next.viewOn;
  }
  throw new EngineError(165, "ViewDepthLimitExceeded", `View depth too deep; maximum depth is ${viewDepthMax}`);
}
