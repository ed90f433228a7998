import { EngineError, located, typeMismatch } from "../engine-error.ts";
import { buildDocument, objectValue } from "../bson/builder.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import { documentValue, int32Value, int64Value, stringValue, textOf, trueValue, type Value } from "../bson/value.ts";
import { fieldsOf, getField } from "../bson/walk.ts";
import type { CollectionRecord } from "./catalog.ts";
import { idIndexBytes, idKeyPattern, isIdKey } from "./index-specification.ts";

/**
 * `clusteredIndex` of `create` with every field: `{v, key, name, unique}` (manual, "Clustered Collections"). Throws 5979703 for the form of the server's own
 * collections, 40414, 40415, 14, 197 for another key than `_id`, 5979700, 5979704.
 */
export function checkedClusteredIndex(value: Value): Value {
  if (value.type === bsonType.bool)
    throw located(5_979_703, "The 'clusteredIndex' legacy format {clusteredIndex: <bool>} is not supported here");
  if (value.type !== bsonType.object)
    throw typeMismatch(
      `BSON field 'create.clusteredIndex' is the wrong type '${typeName(value.type)}', expected types '[bool, object]'`,
    );
  const given = new Map(Array.from(fieldsOf(value.bytes()), (field) => [field.name, field.value]));
  for (const name of given.keys())
    if (!["v", "key", "name", "unique"].includes(name))
      throw located(40_415, `BSON field 'create.clusteredIndex.${name}' is an unknown field.`);
  const [key, unique, name, version] = ["key", "unique", "name", "v"].map((field) => given.get(field));
  for (const [field, found] of [
    ["key", key],
    ["unique", unique],
  ] as const)
    if (found === undefined)
      throw located(40_414, `BSON field 'create.clusteredIndex.${field}' is missing but a required field`);
  if (key?.type !== bsonType.object) throw wrongType("key", key as Value, "object");
  if (name !== undefined && name.type !== bsonType.string) throw wrongType("name", name, "string");
  if (!isTruthy(unique)) throw located(5_979_700, "The clusteredIndex option requires unique: true to be specified");
  if (!isIdKey(key.bytes()))
    throw new EngineError(
      197,
      "InvalidIndexSpecificationOption",
      "The clusteredIndex option is only supported for key: {_id: 1}",
    );
  if (version !== undefined && (!isNumberType(version.type) || toNumber(version) !== 2))
    throw located(5_979_704, "Invalid clusteredIndex version, only 2 is supported");
  return objectValue([
    ["v", int32Value(2)],
    ["key", documentValue(idKeyPattern)],
    ["name", name ?? stringValue("_id_")],
    ["unique", trueValue],
  ]);
}

/** `expireAfterSeconds` of a clustered collection, whose documents go so long after the date that is their `_id`. Throws 14 and 72. */
export function checkedLifetime(command: string, value: Value): Value {
  if (!isNumberType(value.type))
    throw typeMismatch(
      `BSON field '${command}.expireAfterSeconds' is the wrong type '${typeName(value.type)}', expected type 'long'`,
    );
  const seconds = Math.trunc(toNumber(value));
  if (!(seconds >= 0 && seconds <= lifetimeMaxSeconds))
    throw new EngineError(
      72,
      "InvalidOptions",
      `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number. It must be between 0 and ${lifetimeMaxSeconds}.`,
    );
  return int64Value(BigInt(seconds));
}

const lifetimeMaxSeconds = 2_147_483_647;

function wrongType(field: string, value: Value, expected: string): EngineError {
  return typeMismatch(
    `BSON field 'create.clusteredIndex.${field}' is the wrong type '${typeName(value.type)}', expected type '${expected}'`,
  );
}

/** The clustered index of a collection, as its options have it; undefined for a collection with an index of `_id` beside it. */
function clusteredIndexIn({ options }: Pick<CollectionRecord, "options">): Uint8Array | undefined {
  const given = getField(options, "clusteredIndex");
  return given?.type === bsonType.object ? given.bytes() : undefined;
}

export function isClustered(record: Pick<CollectionRecord, "options">): boolean {
  return clusteredIndexIn(record) !== undefined;
}

/** The index of `_id`, as lists of indexes show it. */
export function idIndexOf(record: Pick<CollectionRecord, "options">): Uint8Array {
  const clustered = clusteredIndexIn(record);
  if (clustered === undefined) return idIndexBytes;
  return buildDocument([
    ...Array.from(fieldsOf(clustered), ({ name, value }) => [name, value] as const),
    ["clustered", trueValue],
  ]);
}

/** `_id_`, unless a clustered collection names it otherwise. */
export function idIndexName(record: Pick<CollectionRecord, "options">): string {
  return textOf(getField(idIndexOf(record), "name") as Value);
}
