import { badValue, EngineError, notSupported, typeMismatch } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { bsonType, typeName } from "../bson/types.ts";
import { documentValue, textOf, type Value } from "../bson/value.ts";
import { fieldsOf } from "../bson/walk.ts";
import type { Namespace } from "../engine.ts";
import { parseCollation } from "../query/collation.ts";
import { settingsOf } from "./collection-settings.ts";

/** Options that change what a collection is and are not supported: refused, not kept and ignored. */
const refused = new Set([
  "capped",
  "timeseries",
  "viewOn",
  "pipeline",
  "clusteredIndex",
  "encryptedFields",
  "expireAfterSeconds",
  "changeStreamPreAndPostImages",
  "size",
  "max",
]);

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
    } else {
      checkRule("create", name, value);
      kept.push([name, value]);
    }
  }
  const result = buildDocument(kept);
  checkValidator(namespace, result);
  return result;
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
