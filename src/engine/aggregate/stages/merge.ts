import { badValue, EngineError, failedToParse, located, typeMismatch } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import { checkNamespace } from "../../catalog/names.ts";
import type { Namespace } from "../../engine.ts";
import { type StageFactory, textIn } from "../stage.ts";
import { stagesOf } from "./lookup.ts";

export interface MergeTarget {
  readonly namespace: Namespace;
  /** Fields that together tell documents apart; undefined: `_id`. */
  readonly on: readonly string[] | undefined;
  readonly whenMatched: "replace" | "keepExisting" | "merge" | "fail" | readonly Uint8Array[];
  readonly whenNotMatched: "insert" | "discard" | "fail";
  /** `let` of a pipeline under `whenMatched`. */
  readonly variables: Value | undefined;
}

/** `$merge`: what comes through is written by the engine. */
export const $merge: StageFactory = (argument, { namespace }) => {
  mergeTarget(argument, namespace.database);
  return (flow) => flow;
};

const matchedModes = ["replace", "keepExisting", "merge", "fail"] as const;
const unmatchedModes = ["insert", "discard", "fail"] as const;

/** Reads `$merge`'s argument. Throws 9, 14, 40415, 51178 and others for what does not fit. */
export function mergeTarget(argument: Value, database: string): MergeTarget {
  if (argument.type === bsonType.string) return parsed(new Map([["into", argument]]), database);
  if (argument.type !== bsonType.object)
    throw located(51_182, `$merge only supports a string or object argument, not ${typeName(argument.type)}`);
  const given = new Map<string, Value>();
  for (const { name, value } of fieldsOfValue(argument)) {
    if (!["into", "on", "let", "whenMatched", "whenNotMatched"].includes(name))
      throw new EngineError(40_415, "Location40415", `BSON field '$merge.${name}' is an unknown field.`);
    given.set(name, value);
  }
  return parsed(given, database);
}

function parsed(given: ReadonlyMap<string, Value>, database: string): MergeTarget {
  const into = given.get("into");
  if (into === undefined)
    throw new EngineError(40_414, "Location40414", "BSON field '$merge.into' is missing but a required field");
  const namespace = namespaceOf(into, database);
  if (namespace.collection.startsWith("system.") || namespace.database === "local" || namespace.database === "config")
    throw located(31_319, `Cannot $merge to special collection: ${namespace.collection}`);
  checkNamespace(namespace);
  const whenMatched = matchedMode(given.get("whenMatched"));
  const whenNotMatched = oneOf(given.get("whenNotMatched"), unmatchedModes, "insert", "whenNotMatched");
  if (whenMatched === "fail" && whenNotMatched !== "insert")
    throw located(51_181, `Combination of {whenMatched: fail, whenNotMatched: ${whenNotMatched}} is not supported`);
  if (whenMatched === "keepExisting" && whenNotMatched !== "insert")
    throw located(
      51_181,
      `Combination of {whenMatched: keepExisting, whenNotMatched: ${whenNotMatched}} is not supported`,
    );
  const variables = given.get("let");
  if (variables !== undefined && typeof whenMatched === "string")
    throw located(51_199, "Cannot use 'let' variables with 'whenMatched: " + whenMatched + "' mode");
  if (variables !== undefined && variables.type !== bsonType.object)
    throw typeMismatch(
      `BSON field '$merge.let' is the wrong type '${typeName(variables.type)}', expected type 'object'`,
    );
  return { namespace, on: onFields(given.get("on")), whenMatched, whenNotMatched, variables };
}

function namespaceOf(into: Value, database: string): Namespace {
  if (into.type === bsonType.string) return { database, collection: textOf(into) };
  if (into.type !== bsonType.object)
    throw located(
      51_178,
      `$merge 'into' field  must be either a string or an object, but found ${typeName(into.type)}`,
    );
  const target = { database, collection: "" };
  for (const { name, value } of fieldsOfValue(into)) {
    if (name === "db") target.database = textIn(value, 51_178, "$merge's 'into.db'");
    else if (name === "coll") target.collection = textIn(value, 51_178, "$merge's 'into.coll'");
    else throw new EngineError(40_415, "Location40415", `BSON field '$merge.into.${name}' is an unknown field.`);
  }
  return target;
}

function matchedMode(value: Value | undefined): MergeTarget["whenMatched"] {
  if (value?.type !== bsonType.array) return oneOf(value, matchedModes, "merge", "whenMatched");
  return stagesOf(value);
}

function oneOf<Mode extends string>(
  value: Value | undefined,
  modes: readonly Mode[],
  otherwise: Mode,
  what: string,
): Mode {
  if (value === undefined) return otherwise;
  const text = value.type === bsonType.string ? textOf(value) : "";
  const mode = modes.find((one) => one === text);
  if (mode === undefined)
    throw badValue(`Enumeration value '${text}' for field '$merge.${what}' is not a valid value.`);
  return mode;
}

function onFields(value: Value | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const fields = (value.type === bsonType.array ? elementsOf(value) : [value]).map((field) => {
    if (field.type !== bsonType.string)
      throw located(51_186, "$merge 'on' field must be a string or an array of strings");
    return textOf(field);
  });
  if (fields.length === 0)
    throw located(51_187, "If explicitly specifying $merge 'on', must include at least one field");
  if (new Set(fields).size < fields.length) throw failedToParse("Found a duplicate field in $merge 'on'");
  return fields;
}
