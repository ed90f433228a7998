import { boolOf, bsonType, elementsOf, EngineError, fieldsOf, getField, textOf, type Value } from "../engine/index.ts";

/** Commands of API version 1 that are served (manual, "Stable API"). */
const inVersion1: ReadonlySet<string> = new Set([
  "aggregate",
  "bulkWrite",
  "count",
  "create",
  "createIndexes",
  "delete",
  "drop",
  "dropDatabase",
  "dropIndexes",
  "endSessions",
  "find",
  "findAndModify",
  "getMore",
  "hello",
  "insert",
  "killCursors",
  "listCollections",
  "listDatabases",
  "listIndexes",
  "ping",
  "refreshSessions",
  "saslContinue",
  "saslStart",
  "update",
]);

/** Whether a command belongs to API version 1. */
export function isInVersion1(command: string): boolean {
  return inVersion1.has(command);
}

/** Holds a client to the API it declared. Throws 322 APIVersionError and 323 APIStrictError. */
export function checkApiVersion(command: string, body: Uint8Array): void {
  const version = getField(body, "apiVersion");
  const strict = flag(body, "apiStrict");
  const deprecation = flag(body, "apiDeprecationErrors");
  if (version === undefined) {
    if (strict !== undefined || deprecation !== undefined)
      throw new EngineError(
        322,
        "APIVersionError",
        "Provided apiStrict and/or apiDeprecationErrors without passing apiVersion",
      );
    return;
  }
  if (version.type !== bsonType.string || textOf(version) !== "1")
    throw new EngineError(322, "APIVersionError", 'API version must be "1"');
  if (strict === true && !inVersion1.has(command))
    throw new EngineError(
      323,
      "APIStrictError",
      `Provided apiStrict:true, but the command ${command} is not in API Version 1`,
    );
  if (strict === true && command === "aggregate") refuseStages(getField(body, "pipeline"));
}

/** Stages that do not belong to API version 1 (manual, "Stable API"). */
const otherStages: ReadonlySet<string> = new Set([
  "$changeStreamSplitLargeEvent",
  "$currentOp",
  "$indexStats",
  "$listLocalSessions",
  "$listSessions",
  "$planCacheStats",
  "$search",
  "$searchMeta",
]);

/** Throws 323 for a stage that is not in API version 1, within other stages too; what is no pipeline is the command's to refuse. */
function refuseStages(pipeline: Value | undefined): void {
  if (pipeline?.type !== bsonType.array) return;
  for (const stage of elementsOf(pipeline)) {
    if (stage.type !== bsonType.object) continue;
    for (const { name, value } of fieldsOf(stage.bytes())) {
      if (otherStages.has(name) || (name === "$collStats" && !countsOnly(value)))
        throw new EngineError(
          323,
          "APIStrictError",
          `stage ${name} is not allowed with 'apiStrict: true' in API Version 1`,
        );
      if (value.type === bsonType.object) refuseStages(getField(value.bytes(), "pipeline"));
    }
  }
}

/** `{count: {}}`. */
function countsOnly(options: Value): boolean {
  return options.type === bsonType.object && [...fieldsOf(options.bytes())].every(({ name }) => name === "count");
}

function flag(body: Uint8Array, name: string): boolean | undefined {
  const value = getField(body, name);
  if (value === undefined) return undefined;
  if (value.type !== bsonType.bool) throw new EngineError(14, "TypeMismatch", `BSON field '${name}' must be a boolean`);
  return boolOf(value);
}
