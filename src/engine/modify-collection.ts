import { badValue, EngineError, notSupported, typeMismatch } from "./engine-error.ts";
import { buildDocument } from "./bson/builder.ts";
import { isTruthy } from "./bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "./bson/types.ts";
import { boolValue, int64Value, stringValue, textOf, type Value } from "./bson/value.ts";
import { fieldsOf, fieldsOfValue } from "./bson/walk.ts";
import type { CollectionIndex, CollectionRecord } from "./catalog/catalog.ts";
import { checkedLifetime, idIndexName, isClustered } from "./catalog/clustered-index.ts";
import { checkRule, checkValidator, preImagesEnabled } from "./catalog/collection-options.ts";
import { checkedExpiry, isIdKey, isSameKey, parseIndexSpecification } from "./catalog/index-specification.ts";
import { isView, refuseView, viewOf } from "./catalog/views.ts";
import { requireUniqueKeys } from "./convert-to-unique.ts";
import type { Pace } from "./storage/turns.ts";
import type { WriteTransaction } from "./write-transaction.ts";

/**
 * Changes a collection as `collMod` says (manual, "collMod"): one index's `hidden`, `expireAfterSeconds`, `prepareUnique` or `unique`, the rules for documents, whether images of them
 * are kept, how long those of a clustered collection live, or what a view shows. Answers what was and what is, as the reply shows it.
 * Throws 27 IndexNotFound, 72 InvalidOptions, 2 BadValue, 359 CannotConvertIndexToUnique and others.
 */
export async function modifyCollection(
  transaction: WriteTransaction,
  record: CollectionRecord,
  changes: Uint8Array,
  pace: Pace,
): Promise<Uint8Array> {
  const reply: [string, Value][] = [];
  const rules = new Map<string, Value | undefined>();
  for (const { name, value } of fieldsOf(changes)) {
    if (["viewOn", "pipeline"].includes(name) !== isView(record) && name !== "index")
      throw new EngineError(
        72,
        "InvalidOptions",
        isView(record) ? `option not supported on a view: ${name}` : `${record.database}.${record.name} is not a view`,
      );
    if (["validator", "validationLevel", "validationAction", "viewOn", "pipeline"].includes(name)) {
      checkRule("collMod", name, value);
      rules.set(name, value);
      continue;
    }
    if (name === "changeStreamPreAndPostImages") {
      const namespace = { database: record.database, collection: record.name };
      rules.set(name, preImagesEnabled("collMod", namespace, value) ? value : undefined);
      continue;
    }
    if (name === "expireAfterSeconds") {
      rules.set(name, changedLifetime(record, value));
      continue;
    }
    if (name !== "index") throw notSupported(`the collMod option ${name}`);
    refuseView(record);
    if (value.type !== bsonType.object) throw typeMismatch("BSON field 'collMod.index' must be an object");
    reply.push(...(await modifyIndex(transaction, record, value, pace)));
  }
  if (rules.size > 0) keepRules(transaction, record, rules);
  transaction.log.command(
    record.database,
    record.uuid,
    buildDocument([
      ["collMod", stringValue(record.name)],
      ...Array.from(fieldsOf(changes), ({ name, value }) => [name, value] as const),
    ]),
  );
  return buildDocument(reply);
}

/** Undefined for "off". Throws 72 unless the collection is clustered. */
function changedLifetime(record: CollectionRecord, value: Value): Value | undefined {
  if (!isClustered(record))
    throw new EngineError(
      72,
      "InvalidOptions",
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
    );
  if (value.type === bsonType.string && textOf(value) === "off") return undefined;
  return checkedLifetime("collMod", value);
}

function keepRules(
  transaction: WriteTransaction,
  { database, name }: CollectionRecord,
  rules: ReadonlyMap<string, Value | undefined>,
): void {
  // The index that was changed before is in the newest state of the record.
  const record = transaction.catalog.find({ database, collection: name }) as CollectionRecord;
  const fields = new Map(Array.from(fieldsOf(record.options), (field) => [field.name, field.value]));
  for (const [rule, value] of rules) {
    if (value === undefined) fields.delete(rule);
    else fields.set(rule, value);
  }
  const options = buildDocument(fields);
  viewOf(options);
  checkValidator({ database, collection: name }, options);
  transaction.connection.run("UPDATE catalog SET options = ? WHERE id = ?", options, record.id);
  transaction.catalog = transaction.catalog.with({ ...record, options });
}

async function modifyIndex(
  transaction: WriteTransaction,
  record: CollectionRecord,
  change: Value,
  pace: Pace,
): Promise<[string, Value][]> {
  const given = new Map(Array.from(fieldsOfValue(change), ({ name, value }) => [name, value]));
  for (const name of given.keys()) {
    if (!["name", "keyPattern", "hidden", "expireAfterSeconds", "unique", "prepareUnique"].includes(name))
      throw new EngineError(40_415, "Location40415", `BSON field 'collMod.index.${name}' is an unknown field.`);
  }
  const hidden = given.get("hidden");
  const expiry = given.get("expireAfterSeconds");
  const unique = given.get("unique");
  const prepareUnique = given.get("prepareUnique");
  if ([hidden, expiry, unique, prepareUnique].every((option) => option === undefined))
    throw new EngineError(72, "InvalidOptions", "no expireAfterSeconds, hidden, unique, or prepareUnique field");
  const index = wantedIndex(record, given);
  const reply: [string, Value][] = [];
  const options = new Map<string, Value | undefined>();
  if (expiry !== undefined) {
    if (!isNumberType(expiry.type))
      throw typeMismatch(
        `BSON field 'collMod.index.expireAfterSeconds' is the wrong type '${typeName(expiry.type)}', expected types '[int, decimal, double, long]'`,
      );
    const seconds = checkedExpiry(expiry);
    if (index.fields.length > 1 || index.fields[0]?.hashed === true)
      throw new EngineError(72, "InvalidOptions", "TTL indexes are single-field indexes");
    if (index.expireAfterSeconds !== undefined)
      reply.push(["expireAfterSeconds_old", int64Value(BigInt(index.expireAfterSeconds))]);
    reply.push(["expireAfterSeconds_new", int64Value(BigInt(seconds))]);
    options.set("expireAfterSeconds", expiry);
  }
  if (hidden !== undefined && isTruthy(hidden) !== index.hidden) {
    reply.push(["hidden_old", boolValue(index.hidden)], ["hidden_new", boolValue(!index.hidden)]);
    options.set("hidden", index.hidden ? undefined : boolValue(true));
  }
  if (prepareUnique !== undefined && isTruthy(prepareUnique) !== index.prepareUnique) {
    reply.push(
      ["prepareUnique_old", boolValue(index.prepareUnique)],
      ["prepareUnique_new", boolValue(!index.prepareUnique)],
    );
    options.set("prepareUnique", index.prepareUnique ? undefined : boolValue(true));
  }
  if (unique !== undefined && (await becomesUnique(transaction, record, index, unique, pace))) {
    reply.push(["unique_new", boolValue(true)]);
    options.set("prepareUnique", undefined);
    options.set("unique", boolValue(true));
  }
  keepIndex(transaction, record, index, options);
  return reply;
}

/** Whether an index is to become unique. Throws 72 for one that has not been prepared, 359 when documents stand in the way. */
async function becomesUnique(
  { connection }: WriteTransaction,
  record: CollectionRecord,
  index: CollectionIndex,
  unique: Value,
  pace: Pace,
): Promise<boolean> {
  if (!isTruthy(unique)) throw badValue("'unique' cannot be false: an index does not stop being unique");
  if (index.unique) return false;
  if (!index.prepareUnique)
    throw new EngineError(
      72,
      "InvalidOptions",
      "Cannot make index unique with 'unique=true'. Run collMod with 'prepareUnique=true' first.",
    );
  await requireUniqueKeys(connection, record, index, pace);
  return true;
}

/** Throws 27 IndexNotFound, and 2 BadValue for the index of `_id`. */
function wantedIndex(record: CollectionRecord, given: ReadonlyMap<string, Value>): CollectionIndex {
  const [name, pattern] = [given.get("name"), given.get("keyPattern")];
  if ((name === undefined) === (pattern === undefined))
    throw new EngineError(72, "InvalidOptions", "must specify either index name or key pattern");
  if (name !== undefined && name.type !== bsonType.string)
    throw typeMismatch("BSON field 'collMod.index.name' must be a string");
  if (pattern !== undefined && pattern.type !== bsonType.object)
    throw typeMismatch("BSON field 'collMod.index.keyPattern' must be an object");
  const text = name === undefined ? undefined : textOf(name);
  if (text === idIndexName(record) || (pattern !== undefined && isIdKey(pattern.bytes())))
    throw badValue("can't hide _id index, and it has no time to live");
  const found = record.indexes.filter((index) =>
    text === undefined ? isSameKey(index.key, (pattern as Value).bytes()) : index.name === text,
  );
  const [index] = found;
  if (index === undefined)
    throw new EngineError(
      27,
      "IndexNotFound",
      `cannot find index ${text ?? "(key pattern)"} for ns ${record.database}.${record.name}`,
    );
  if (found.length > 1)
    throw new EngineError(126, "AmbiguousIndexKeyPattern", "several indexes have this key pattern; name the index");
  return index;
}

function keepIndex(
  transaction: WriteTransaction,
  record: CollectionRecord,
  index: CollectionIndex,
  options: ReadonlyMap<string, Value | undefined>,
): void {
  if (options.size === 0) return;
  const fields = new Map(Array.from(fieldsOf(index.bytes), ({ name, value }) => [name, value]));
  for (const [name, value] of options) {
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  const changed = { ...index, ...parseIndexSpecification(buildDocument(fields), index.collation) };
  transaction.connection.run("UPDATE index_specification SET specification = ? WHERE id = ?", changed.bytes, index.id);
  transaction.catalog = transaction.catalog.with({
    ...record,
    indexes: record.indexes.map((one) => (one === index ? changed : one)),
  });
}
