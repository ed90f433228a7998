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
export { withoutUnknownOptions } from "./catalog/index-specification.ts";
export { pipelineNamespaces } from "./pipeline-namespaces.ts";
export { applyDifference } from "./oplog/apply-difference.ts";
export { compileFilter } from "./query/filter.ts";

import { EmbeddedEngine, type EngineOptions } from "./embedded-engine.ts";
import type { Engine } from "./engine.ts";

export type { EngineOptions };

/** Opens a data file, making it when it is missing. Throws an `EngineError` that names a file that is damaged or not the engine's. */
export function openEngine(options: EngineOptions): Engine {
  return new EmbeddedEngine(options);
}
