/** The embedded database: a library with this one entrance. `openEngine` gives an `Engine`; the rest are tools for whoever speaks BSON with it. */
export * from "./engine.ts";
export { DamagedFile, EngineError } from "./engine-error.ts";
export { DocumentBuilder, arrayValue, buildDocument, emptyDocument, objectValue } from "./bson/builder.ts";
export { readInt32, writeInt32 } from "./bson/bytes.ts";
export { isTruthy, toNumber } from "./bson/numbers.ts";
export { bsonType, isNumberType, typeName } from "./bson/types.ts";
export { validateDocument } from "./bson/validate.ts";
export {
  boolOf,
  boolValue,
  dateValue,
  documentValue,
  doubleValue,
  figureValue,
  int32Value,
  int64Of,
  int64Value,
  nullValue,
  stringValue,
  textOf,
  timestampValue,
  Value,
  wholeNumberOf,
} from "./bson/value.ts";
export { elementsOf, fieldsOf, fieldsOfValue, getField } from "./bson/walk.ts";
export { splitNamespace } from "./catalog/names.ts";
export { applyDifference } from "./oplog/apply-difference.ts";

import type { EngineOptions } from "./engine-options.ts";
import type { Engine } from "./engine.ts";
import type { PipelineNamespace } from "./pipeline-namespaces.ts";
import type { Filter } from "./query/filter.ts";

export type { EngineOptions };

// What follows is loaded when it is first used: it is two thirds of the library, and a client that wakes a sleeping database is answered before (ADR 6).

/** Loads what `openEngine` needs, for those who have the time before. */
export async function loadEngine(): Promise<void> {
  await import("./embedded-engine.ts");
}

/** Opens a data file, making it when it is missing. Throws an `EngineError` that names a file that is damaged or not the engine's. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { EmbeddedEngine } = await import("./embedded-engine.ts");
  return new EmbeddedEngine(options);
}

/** Conditions as `find` takes them, to be asked of documents. Throws what `find` throws for conditions that are none. */
export async function compileFilter(conditions: Uint8Array): Promise<Filter> {
  const filter = await import("./query/filter.ts");
  return filter.compileFilter(conditions);
}

/** Every namespace that the stages of a pipeline name, those within stages too. Throws what `$out` and `$merge` throw for targets that are none. */
export async function pipelineNamespaces(
  database: string,
  pipeline: readonly Uint8Array[],
): Promise<readonly PipelineNamespace[]> {
  const namespaces = await import("./pipeline-namespaces.ts");
  return namespaces.pipelineNamespaces(database, pipeline);
}

/** An index specification without the options that no index has, for those who ask that they be ignored. */
export async function withoutUnknownOptions(specification: Uint8Array): Promise<Uint8Array> {
  const specifications = await import("./catalog/index-specification.ts");
  return specifications.withoutUnknownOptions(specification);
}
