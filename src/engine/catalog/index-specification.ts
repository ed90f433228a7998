import { EngineError, notSupported } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { parsePath, type Path } from "../bson/path.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType } from "../bson/types.ts";
import { documentValue, int32Value, stringValue, textOf, type Value } from "../bson/value.ts";
import { fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { type Collation, parseCollation } from "../query/collation.ts";

export interface IndexField {
  readonly path: Path;
  readonly descending: boolean;
}

/** An index as it is kept: its specification's bytes, and what they say. */
export interface IndexSpecification {
  readonly name: string;
  readonly fields: readonly IndexField[];
  /** The key pattern, `{a: 1, b: -1}`. */
  readonly key: Uint8Array;
  readonly unique: boolean;
  readonly sparse: boolean;
  /** What it says about the order of strings; its keys are in the order of their bytes all the same. */
  readonly collation: Collation | undefined;
  readonly bytes: Uint8Array;
}

/** The index every collection has. */
export const idIndexBytes: Uint8Array = buildDocument([
  ["v", int32Value(2)],
  ["key", documentValue(buildDocument([["_id", int32Value(1)]]))],
  ["name", stringValue("_id_")],
]);

const known = new Set(["collation", "v", "key", "name", "ns", "unique", "sparse", "background", "hidden"]);
const refused: Readonly<Record<string, string>> = {
  expireAfterSeconds: "a TTL index",
  partialFilterExpression: "a partial index",
  wildcardProjection: "a wildcard index",
  weights: "a text index",
  default_language: "a text index",
  storageEngine: "storageEngine in an index",
  prepareUnique: "prepareUnique",
  clustered: "a clustered index",
};

/**
 * Reads a specification. A missing name is made as MongoDB makes it and added to the bytes, and so is the collection's collation when there is none. Throws 67
 * CannotCreateIndex, 238 NotImplemented.
 */
export function parseIndexSpecification(bytes: Uint8Array, inherited?: Collation): IndexSpecification {
  const given = new Map(Array.from(fieldsOf(bytes), ({ name, value }) => [name, value]));
  for (const name of given.keys()) {
    const what = refused[name];
    if (what !== undefined) throw notSupported(what);
    if (what === undefined && !known.has(name))
      throw new EngineError(
        197,
        "InvalidIndexSpecificationOption",
        `The field '${name}' is not valid for an index specification.`,
      );
  }
  const key = given.get("key");
  if (key?.type !== bsonType.object)
    throw new EngineError(9, "FailedToParse", "The 'key' field is a required property of an index specification");
  const fields = [...fieldsOfValue(key)].map(({ name, value }) => parseField(name, value));
  if (fields.length === 0) throw cannotCreate("Index keys cannot be an empty object");
  if (fields.length > 32) throw cannotCreate("Index key pattern too large");
  if (new Set(fields.map((field) => field.path.text)).size < fields.length)
    throw cannotCreate("Index key pattern names a field twice");
  const nameValue = given.get("name");
  if (nameValue !== undefined && nameValue.type !== bsonType.string)
    throw new EngineError(14, "TypeMismatch", "The field 'name' must be a string");
  const name = nameValue === undefined ? defaultName(key) : textOf(nameValue);
  if (name === "" || name.includes("\0")) throw cannotCreate("index name cannot be empty or hold a null byte");
  const collation = collationOf(given.get("collation"), inherited);
  // Two strings may be equal under a collation whose bytes differ, which keys of bytes do not see.
  if (collation !== undefined && isTruthy(given.get("unique"))) throw notSupported("a unique index with a collation");
  return {
    name,
    fields,
    key: key.bytes(),
    unique: isTruthy(given.get("unique")),
    sparse: isTruthy(given.get("sparse")),
    collation,
    bytes: normalized(given, key, name, collation),
  };
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
  return buildDocument([["v", given.get("v") ?? int32Value(2)], ["key", key], ["name", stringValue(name)], ...rest]);
}

function parseField(name: string, value: Value): IndexField {
  if (name === "" || name.startsWith("$") || name.split(".").includes(""))
    throw cannotCreate(`Index key contains an illegal field name: ${name}`);
  if (name === "$**" || name.endsWith(".$**")) throw notSupported("a wildcard index");
  if (value.type === bsonType.string) throw notSupported(`a ${textOf(value)} index`);
  const direction = isNumberType(value.type) ? toNumber(value) : Number.NaN;
  if (Number.isNaN(direction) || direction === 0)
    throw cannotCreate(`Values in the index key pattern must be numbers other than 0: ${name}`);
  return { path: parsePath(name), descending: direction < 0 };
}

function defaultName(key: Value): string {
  return [...fieldsOfValue(key)]
    .map(({ name, value }) => `${name}_${value.type === bsonType.string ? textOf(value) : Math.trunc(toNumber(value))}`)
    .join("_");
}

function collationOf(given: Value | undefined, inherited: Collation | undefined): Collation | undefined {
  if (given === undefined) return inherited;
  if (given.type !== bsonType.object)
    throw new EngineError(14, "TypeMismatch", "The field 'collation' must be an object");
  return parseCollation(given.bytes());
}

function cannotCreate(message: string): EngineError {
  return new EngineError(67, "CannotCreateIndex", message);
}
