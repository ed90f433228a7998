import { EngineError, located, notSupported } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { equalBytes } from "../bson/bytes.ts";
import { equalValues } from "../bson/compare.ts";
import { parsePath, type Path } from "../bson/path.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import { documentValue, int32Value, stringValue, textOf, type Value } from "../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { type Collation, parseCollation } from "../query/collation.ts";
import { compileFilter, type Filter } from "../query/filter.ts";
import { refuseUnfitForPartial } from "./partial-filter.ts";

export interface IndexField {
  readonly path: Path;
  readonly descending: boolean;
  /** Keys are hashes of the values: for equality alone. */
  readonly hashed: boolean;
}

/** An index as it is kept: its specification's bytes, and what they say. */
export interface IndexSpecification {
  readonly name: string;
  readonly fields: readonly IndexField[];
  /** The path below which every value has a key, empty for all; undefined for an index of the fields alone. */
  readonly wildcard: string | undefined;
  /** The key pattern, `{a: 1, b: -1}`. */
  readonly key: Uint8Array;
  readonly unique: boolean;
  /** Takes no further document with a key that is there; those that are stay. */
  readonly prepareUnique: boolean;
  readonly sparse: boolean;
  /** Said to be the one that a clustered collection has. */
  readonly clustered: boolean;
  /** Kept up to date, and not used for queries. */
  readonly hidden: boolean;
  /** How its strings compare; keys are written by it such that equal strings are met, and not in its order. */
  readonly collation: Collation | undefined;
  /** Which documents it has; undefined: all. */
  readonly partial: Filter | undefined;
  /** How long after the date in its field a document goes; undefined: never. */
  readonly expireAfterSeconds: number | undefined;
  readonly bytes: Uint8Array;
}

/** Key pattern of the index every collection has. */
export const idKeyPattern: Uint8Array = buildDocument([["_id", int32Value(1)]]);

/** The index every collection has. */
export const idIndexBytes: Uint8Array = buildDocument([
  ["v", int32Value(2)],
  ["key", documentValue(idKeyPattern)],
  ["name", stringValue("_id_")],
]);

const known = new Set([
  "v",
  "key",
  "name",
  "ns",
  "unique",
  "prepareUnique",
  "sparse",
  "background",
  "hidden",
  "collation",
  "partialFilterExpression",
  "expireAfterSeconds",
  "clustered",
]);

const refused: Readonly<Record<string, string>> = {
  wildcardProjection: "wildcardProjection",
  weights: "a text index",
  default_language: "a text index",
  language_override: "a text index",
  textIndexVersion: "a text index",
  "2dsphereIndexVersion": "a geographic index",
  bits: "a geographic index",
  min: "a geographic index",
  max: "a geographic index",
  bucketSize: "a geographic index",
  storageEngine: "storageEngine in an index",
};

/** Longest time to live (manual, "TTL Indexes"). */
const expireAfterSecondsMax = 2_147_483_647;
const fieldsMax = 32;

/**
 * Reads a specification. A missing name is made as MongoDB makes it and added to the bytes, and so is the collection's collation when there is none. Throws 67
 * CannotCreateIndex, 197 InvalidIndexSpecificationOption, 14 TypeMismatch, 238 NotImplemented.
 */
export function parseIndexSpecification(bytes: Uint8Array, inherited?: Collation): IndexSpecification {
  const given = new Map(Array.from(fieldsOf(bytes), ({ name, value }) => [name, value]));
  for (const name of given.keys()) {
    const what = Object.hasOwn(refused, name) ? refused[name] : undefined;
    if (what !== undefined) throw notSupported(what);
    if (!known.has(name))
      throw new EngineError(
        197,
        "InvalidIndexSpecificationOption",
        `The field '${name}' is not valid for an index specification.`,
      );
  }
  const key = given.get("key");
  if (key?.type !== bsonType.object)
    throw new EngineError(9, "FailedToParse", "The 'key' field is a required property of an index specification");
  const fields = fieldsOfKey(key);
  const name = nameOf(given.get("name"), key);
  const collation = collationOf(given.get("collation"), inherited);
  const unique = flag(given, "unique");
  const sparse = flag(given, "sparse");
  const prepareUnique = flag(given, "prepareUnique");
  if (collation?.hasCoarseKeys === true && (unique || prepareUnique))
    throw notSupported("a unique index with numericOrdering in its collation");
  if ((unique || prepareUnique) && fields.some(({ hashed }) => hashed))
    throw located(16_764, "Currently hashed indexes cannot guarantee uniqueness. Use a regular index.");
  const wildcard = wildcardOf(fields);
  if (wildcard !== undefined) refuseForWildcard(given, unique || prepareUnique, sparse);
  return {
    name,
    fields,
    wildcard,
    key: key.bytes(),
    unique,
    prepareUnique,
    sparse,
    clustered: flag(given, "clustered"),
    hidden: flag(given, "hidden"),
    collation,
    partial: partialOf(given.get("partialFilterExpression"), sparse, collation),
    expireAfterSeconds: expiryOf(given.get("expireAfterSeconds"), fields),
    bytes: normalized(given, key, name, collation),
  };
}

/** Whether two key patterns are the same: fields in one order, equal directions. */
export function isSameKey(one: Uint8Array, other: Uint8Array): boolean {
  return equalBytes(one, other) || equalValues(documentValue(one), documentValue(other));
}

/** `{_id: 1}`. */
export function isIdKey(key: Uint8Array): boolean {
  return isSameKey(key, idKeyPattern);
}

/** A specification without the options that no index has, for those who ask that they be ignored. */
export function withoutUnknownOptions(bytes: Uint8Array): Uint8Array {
  return buildDocument(
    Array.from(fieldsOf(bytes))
      .filter(({ name }) => known.has(name) || Object.hasOwn(refused, name))
      .map(({ name, value }) => [name, value] as const),
  );
}

/** `{v: 2, key, name, ...rest}`: the order in which MongoDB answers specifications; values keep their bytes. */
function normalized(
  given: ReadonlyMap<string, Value>,
  key: Value,
  name: string,
  collation: Collation | undefined,
): Uint8Array {
  const rest = [...given].filter(([field]) => !["v", "key", "name", "ns", "background", "collation"].includes(field));
  if (collation !== undefined) rest.push(["collation", documentValue(collation.specification)]);
  return buildDocument([["v", versionOf(given.get("v"))], ["key", key], ["name", stringValue(name)], ...rest]);
}

function versionOf(given: Value | undefined): Value {
  if (given === undefined) return int32Value(2);
  const version = isNumberType(given.type) ? toNumber(given) : Number.NaN;
  if (version !== 1 && version !== 2)
    throw cannotCreate("Invalid index specification: the index version must be 1 or 2");
  return given;
}

function fieldsOfKey(key: Value): readonly IndexField[] {
  const fields = [...fieldsOfValue(key)].map(({ name, value }) => parseField(name, value));
  if (fields.length === 0) throw cannotCreate("Index keys cannot be an empty object");
  if (fields.length > fieldsMax) throw cannotCreate(`Index key pattern has more than ${fieldsMax} fields`);
  if (new Set(fields.map((field) => field.path.text)).size < fields.length)
    throw cannotCreate("Index key pattern names a field twice");
  if (fields.filter(({ hashed }) => hashed).length > 1)
    throw located(31_303, "A maximum of one index field is allowed to be hashed");
  return fields;
}

function parseField(name: string, value: Value): IndexField {
  if (isWildcard(name)) {
    if (!isNumberType(value.type) || !(toNumber(value) > 0))
      throw cannotCreate("A numeric value in a $** index key pattern must be positive.");
    return { path: parsePath(name), descending: false, hashed: false };
  }
  if (name === "" || name.split(".").some((part) => part === "" || (part.startsWith("$") && !isReference(part))))
    throw cannotCreate(`Index key contains an illegal field name: ${name}`);
  if (value.type === bsonType.string) {
    const kind = textOf(value);
    if (kind === "hashed") return { path: parsePath(name), descending: false, hashed: true };
    if (["text", "2d", "2dsphere", "columnstore", "geoHaystack"].includes(kind)) throw notSupported(`a ${kind} index`);
    throw cannotCreate(`Unknown index plugin '${kind}'`);
  }
  const direction = isNumberType(value.type) ? toNumber(value) : Number.NaN;
  if (Number.isNaN(direction) || direction === 0)
    throw cannotCreate(`Values in the index key pattern must be numbers other than 0: ${name}`);
  return { path: parsePath(name), descending: direction < 0, hashed: false };
}

function isWildcard(name: string): boolean {
  return (
    name === "$**" ||
    (name.endsWith(".$**") &&
      !name
        .slice(0, -4)
        .split(".")
        .some((part) => part === "" || part.startsWith("$")))
  );
}

/** Throws 238 for other fields beside the one that stands for all. */
function wildcardOf(fields: readonly IndexField[]): string | undefined {
  const name = fields.find(({ path }) => isWildcard(path.text))?.path.text;
  if (name === undefined) return undefined;
  if (fields.length > 1) throw notSupported("a compound wildcard index");
  return name === "$**" ? "" : name.slice(0, -4);
}

/** Throws 67 CannotCreateIndex for options that no wildcard index has (manual, "Wildcard Index Restrictions"). */
function refuseForWildcard(given: ReadonlyMap<string, Value>, unique: boolean, sparse: boolean): void {
  const option = unique
    ? "unique"
    : sparse
      ? "sparse"
      : given.has("expireAfterSeconds")
        ? "expireAfterSeconds"
        : undefined;
  if (option !== undefined) throw cannotCreate(`Index type 'wildcard' does not support the ${option} option`);
}

function isReference(part: string): boolean {
  return ["$id", "$db", "$ref"].includes(part);
}

function nameOf(given: Value | undefined, key: Value): string {
  if (given !== undefined && given.type !== bsonType.string)
    throw new EngineError(14, "TypeMismatch", "The field 'name' must be a string");
  const name = given === undefined ? defaultName(key) : textOf(given);
  if (name === "" || name === "*" || name.includes("\0"))
    throw cannotCreate(`The index name '${name === "*" ? "*" : ""}' is not valid.`);
  return name;
}

function defaultName(key: Value): string {
  return [...fieldsOfValue(key)]
    .map(({ name, value }) => `${name}_${value.type === bsonType.string ? textOf(value) : Math.trunc(toNumber(value))}`)
    .join("_");
}

function flag(given: ReadonlyMap<string, Value>, name: string): boolean {
  const value = given.get(name);
  if (value === undefined) return false;
  if (value.type !== bsonType.bool && !isNumberType(value.type))
    throw new EngineError(
      14,
      "TypeMismatch",
      `The field '${name}' must be a boolean, but its type is ${typeName(value.type)}`,
    );
  return isTruthy(value);
}

function collationOf(given: Value | undefined, inherited: Collation | undefined): Collation | undefined {
  if (given === undefined) return inherited;
  if (given.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", "The field 'collation' must be an object");
  return parseCollation(given.bytes());
}

function partialOf(given: Value | undefined, sparse: boolean, collation: Collation | undefined): Filter | undefined {
  if (given === undefined) return undefined;
  if (given.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", "The field 'partialFilterExpression' must be an object");
  if (sparse) throw cannotCreate('cannot mix "partialFilterExpression" and "sparse" options');
  refuseUnfitForPartial(given.bytes());
  return compileFilter(given.bytes(), { collation });
}

function expiryOf(given: Value | undefined, fields: readonly IndexField[]): number | undefined {
  if (given === undefined) return undefined;
  if (!isNumberType(given.type))
    throw cannotCreate(
      `TTL index 'expireAfterSeconds' option must be numeric, but received a type of '${typeName(given.type)}'.`,
    );
  if (fields.length > 1)
    throw cannotCreate("TTL indexes are single-field indexes, compound indexes do not support TTL.");
  return checkedExpiry(given);
}

/** Seconds of `expireAfterSeconds`. NaN, which old servers stored, is the longest time (manual, "TTL Indexes"). Throws 67 CannotCreateIndex. */
export function checkedExpiry(value: Value): number {
  const seconds = toNumber(value);
  if (Number.isNaN(seconds)) return expireAfterSecondsMax;
  if (seconds < 0 || seconds > expireAfterSecondsMax)
    throw cannotCreate(
      `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number. It must be between 0 and ${expireAfterSecondsMax}.`,
    );
  return Math.trunc(seconds);
}

export function cannotCreate(message: string): EngineError {
  return new EngineError(67, "CannotCreateIndex", message);
}
