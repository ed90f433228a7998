import { badValue, EngineError, located, notSupported, typeMismatch } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import { boolOf, documentValue, int32Value, int64Value, textOf, type Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import type { Namespace } from "../engine.ts";
import { parseCollation } from "../query/collation.ts";
import { checkedClusteredIndex, checkedLifetime } from "./clustered-index.ts";
import { settingsOf } from "./collection-settings.ts";
import { viewOf } from "./views.ts";

/** Options that change what a collection is and are not supported: refused, not kept and ignored. */
const refused = new Set(["timeseries", "encryptedFields"]);

/** A capped collection holds at least so much (manual, "create"). */
const cappedBytesMin = 4096;
const cappedBytesMax = 1024 ** 5;

/**
 * The options of a new collection as they are kept and listed: a collation with all its fields. Throws 238 for what is not supported, 72 InvalidOptions and what a bad
 * option throws.
 */
export function checkedOptions(namespace: Namespace, options: Uint8Array): Uint8Array {
  const kept: [string, Value][] = [];
  for (const { name, value } of fieldsOf(options)) {
    if (refused.has(name)) throw notSupported(`the collection option ${name}`);
    if (name === "collation") {
      const collation = parseCollation(documentIn("create", name, value));
      if (collation !== undefined) kept.push([name, documentValue(collation.specification)]);
    } else if (name === "changeStreamPreAndPostImages") {
      if (preImagesEnabled("create", namespace, value)) kept.push([name, value]);
    } else if (name === "clusteredIndex") kept.push([name, checkedClusteredIndex(value)]);
    else if (name === "expireAfterSeconds") kept.push([name, checkedLifetime("create", value)]);
    else {
      checkRule("create", name, value);
      kept.push([name, value]);
    }
  }
  refuseContradictions(new Map(kept));
  const result = buildDocument(kept.map(([name, value]) => [name, name === "size" ? cappedSize(value) : value]));
  viewOf(result);
  checkValidator(namespace, result);
  return result;
}

/** Throws 72 InvalidOptions for options that do not go together. */
function refuseContradictions(given: ReadonlyMap<string, Value>): void {
  const capped = isTruthy(given.get("capped"));
  if (capped && !given.has("size")) throw invalidOptions("the 'size' field is required when 'capped' is true");
  if (!capped && (given.has("size") || given.has("max")))
    throw invalidOptions("the 'capped' field needs to be true when either the 'size' or 'max' fields are present");
  if (given.has("pipeline") && !given.has("viewOn"))
    throw invalidOptions("'pipeline' requires 'viewOn' to also be specified");
  if (given.has("clusteredIndex") && given.has("viewOn"))
    throw located(6_026_500, "The 'clusteredIndex' option is not supported with views");
  if (given.has("clusteredIndex") && capped)
    throw invalidOptions("the 'clusteredIndex' option is not supported with 'capped'");
  if (given.has("expireAfterSeconds") && !given.has("clusteredIndex"))
    throw invalidOptions(
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
    );
  const other = [...given.keys()].find((name) => !["viewOn", "pipeline", "collation"].includes(name));
  if (given.has("viewOn") && other !== undefined) throw invalidOptions(`option not supported on a view: ${other}`);
  const max = given.get("max");
  if (max !== undefined && (!isNumberType(max.type) || toNumber(max) >= 2 ** 31))
    throw badValue("max in a capped collection has to be < 2^31 or not set");
}

/** Bytes of a capped collection: a multiple of 256, and not too few. */
function cappedSize(value: Value): Value {
  const size = isNumberType(value.type) ? toNumber(value) : Number.NaN;
  if (!(size >= 1 && size <= cappedBytesMax))
    throw badValue(`BSON field 'size' value must be >= 1 and <= ${cappedBytesMax}`);
  return int32OrInt64(Math.max(cappedBytesMin, Math.ceil(size / 256) * 256));
}

function int32OrInt64(value: number): Value {
  return value <= 2_147_483_647 ? int32Value(value) : int64Value(BigInt(value));
}

function invalidOptions(message: string): EngineError {
  return new EngineError(72, "InvalidOptions", message);
}

/** Whether `changeStreamPreAndPostImages: {enabled}` switches images on. Throws 14, 40414, 40415, and 72 in a database of the server's own. */
export function preImagesEnabled(command: string, { database }: Namespace, value: Value): boolean {
  const option = "changeStreamPreAndPostImages";
  let enabled: Value | undefined;
  for (const field of fieldsOf(documentIn(command, option, value))) {
    if (field.name !== "enabled")
      throw located(40_415, `BSON field '${command}.${option}.${field.name}' is an unknown field.`);
    enabled = field.value;
  }
  if (enabled === undefined)
    throw located(40_414, `BSON field '${command}.${option}.enabled' is missing but a required field`);
  if (enabled.type !== bsonType.bool) throw wrongType(`${command}.${option}`, "enabled", enabled, "bool");
  if (["admin", "local", "config"].includes(database))
    throw invalidOptions(`${option} collection option is not supported on the ${database} database`);
  return boolOf(enabled);
}

/** Throws 14 and 2 unless an option about validation can be kept. */
export function checkRule(command: string, name: string, value: Value): void {
  if (name === "validator") documentIn(command, name, value);
  if (name === "validationLevel") oneOf(command, name, value, ["off", "strict", "moderate"]);
  if (name === "validationAction") oneOf(command, name, value, ["error", "warn"]);
}

/** Throws what a bad query throws, and 72 where documents must not be held to rules. */
export function checkValidator({ database }: Namespace, options: Uint8Array): void {
  const { validation } = settingsOf({ options });
  if (validation !== undefined && ["admin", "local", "config"].includes(database))
    throw new EngineError(
      72,
      "InvalidOptions",
      `Document validators are not allowed on collections in the ${database} database`,
    );
}

function documentIn(command: string, name: string, value: Value): Uint8Array {
  if (value.type !== bsonType.object) throw wrongType(command, name, value, "object");
  return value.bytes();
}

function oneOf(command: string, name: string, value: Value, choices: readonly string[]): void {
  if (value.type !== bsonType.string) throw wrongType(command, name, value, "string");
  if (!choices.includes(textOf(value)))
    throw badValue(`Enumeration value '${textOf(value)}' for field '${command}.${name}' is not a valid value.`);
}

function wrongType(command: string, name: string, value: Value, expected: string): EngineError {
  return typeMismatch(
    `BSON field '${command}.${name}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
  );
}
