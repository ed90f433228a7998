import { bsonType, typeName } from "../bson/types.ts";
import { boolOf, textOf, type Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import type { ClusterTime } from "../engine.ts";
import { badValue, EngineError, located, typeMismatch } from "../engine-error.ts";
import { timeOfValue } from "../oplog/time.ts";
import { before, positionOf, type StreamPosition } from "./resume-token.ts";

/** `$changeStream`, read (manual, "Change Streams"). */
export interface ChangeStreamOptions {
  /** What of the document after an update is shown: nothing, as it is now, or as it was then. */
  readonly fullDocument: "default" | "updateLookup" | "whenAvailable" | "required";
  readonly fullDocumentBeforeChange: "off" | "whenAvailable" | "required";
  /** Where to go on; undefined: with what comes from now on. */
  readonly from: StreamPosition | undefined;
  readonly allChangesForCluster: boolean;
  /** Also collections made, indexes and `collMod`, and more of each event. */
  readonly showExpandedEvents: boolean;
}

const fullDocuments = ["default", "updateLookup", "whenAvailable", "required"] as const;
const beforeChanges = ["off", "whenAvailable", "required"] as const;

/** Throws 6188500, 40415, 40674, 2, 14, 260 and what tokens throw. */
export function changeStreamOptions(argument: Value): ChangeStreamOptions {
  if (argument.type !== bsonType.object)
    throw located(6_188_500, `$changeStream must take a nested object but found: ${typeName(argument.type)}`);
  let [fullDocument, beforeChange]: [
    ChangeStreamOptions["fullDocument"],
    ChangeStreamOptions["fullDocumentBeforeChange"],
  ] = ["default", "off"];
  let [allChangesForCluster, showExpandedEvents] = [false, false];
  const starts: StreamPosition[] = [];
  for (const { name, value } of fieldsOf(argument.bytes())) {
    if (name === "fullDocument") fullDocument = oneOf(fullDocuments, name, value);
    else if (name === "fullDocumentBeforeChange") beforeChange = oneOf(beforeChanges, name, value);
    else if (name === "resumeAfter") starts.push(resumed(value));
    else if (name === "startAfter") starts.push(positionOf(value, name));
    else if (name === "startAtOperationTime") starts.push(before(timeIn(name, value)));
    else if (name === "allChangesForCluster") allChangesForCluster = flag(name, value);
    else if (name === "showExpandedEvents") showExpandedEvents = flag(name, value);
    else if (name === "showSystemEvents" || name === "showMigrationEvents" || name === "showRawUpdateDescription") {
      if (flag(name, value)) throw new EngineError(238, "NotImplemented", `${name} of $changeStream is not supported`);
    } else throw located(40_415, `BSON field '$changeStream.${name}' is an unknown field.`);
  }
  if (starts.length > 1) throw located(40_674, "Only one type of resume option is allowed, but multiple were found.");
  return {
    fullDocument,
    fullDocumentBeforeChange: beforeChange,
    from: starts[0],
    allChangesForCluster,
    showExpandedEvents,
  };
}

function resumed(token: Value): StreamPosition {
  const position = positionOf(token, "resumeAfter");
  if (position.kind === "invalidate")
    throw new EngineError(
      260,
      "InvalidResumeToken",
      "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.",
    );
  return position;
}

function oneOf<Name extends string>(names: readonly Name[], field: string, value: Value): Name {
  if (value.type !== bsonType.string) throw wrongType(field, value, "string");
  const text = textOf(value);
  const found = names.find((name) => name === text);
  if (found === undefined)
    throw badValue(`Enumeration value '${text}' for field '$changeStream.${field}' is not a valid value.`);
  return found;
}

function flag(field: string, value: Value): boolean {
  if (value.type !== bsonType.bool) throw wrongType(field, value, "bool");
  return boolOf(value);
}

function timeIn(field: string, value: Value): ClusterTime {
  const time = timeOfValue(value);
  if (time === undefined) throw wrongType(field, value, "timestamp");
  return time;
}

function wrongType(field: string, value: Value, wanted: string): EngineError {
  return typeMismatch(
    `BSON field '$changeStream.${field}' is the wrong type '${typeName(value.type)}', expected type '${wanted}'`,
  );
}
