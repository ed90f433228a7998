import { isPlain } from "./match.ts";
import type { Arguments } from "./test-file.ts";

/**
 * What the Node driver is known to add of its own, and the tests do not expect in nested documents. It is taken off before the comparison, exactly and nothing
 * else, so that the rest of each test still judges the server. (The driver's own runner lets any field of a nested document pass.)
 */

/** A command as it was sent, as far as the driver adds nothing: without its `wtimeout` of ten seconds where a transaction ends, and its `$eq` around the id of a file. */
export function withoutCommandHabits(command: unknown, expected: unknown): unknown {
  if (!isPlain(command) || !isPlain(expected)) return command;
  const ends = "commitTransaction" in command || "abortTransaction" in command;
  if (ends && isPlain(command["writeConcern"]) && !has(expected["writeConcern"], "wtimeout")) {
    const { wtimeout, ...rest } = command["writeConcern"];
    if (wtimeout === driversTimeoutMs) return { ...command, writeConcern: rest };
  }
  const { find, filter } = command;
  if (String(find).endsWith(".files") && isPlain(filter) && isPlain(filter["_id"]) && "$eq" in filter["_id"])
    return { ...command, filter: { ...filter, _id: filter["_id"]["$eq"] } };
  return command;
}

/** The driver's default where a transaction with a write concern ends. */
const driversTimeoutMs = 10_000;

/** Results of a client's bulk write without `didUpsert`, which the driver gives beside `upsertedId`. */
export function withoutResultHabits(result: unknown): unknown {
  const updates = isObject(result) ? result["updateResults"] : undefined;
  if (!isObject(result) || !(updates instanceof Map)) return result;
  const plain = [...(updates as Map<number, Arguments>)].map(([index, update]): [number, Arguments] => [
    index,
    Object.fromEntries(Object.entries(update).filter(([name]) => name !== "didUpsert")),
  ]);
  const { insertedCount, upsertedCount, matchedCount, modifiedCount, deletedCount } = result;
  const { insertResults, deleteResults } = result;
  const counts = { insertedCount, upsertedCount, matchedCount, modifiedCount, deletedCount };
  return { ...counts, insertResults, updateResults: new Map(plain), deleteResults };
}

/** Documents to insert such that the driver, which takes an `_id` of null for a missing one, sends the null that was given. */
export function insertable<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map((one: unknown) => insertable(one)) as Value;
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => {
    if (name === "document" && isPlain(inner)) return [name, withNullId(inner)];
    if (name === "documents" && Array.isArray(inner)) return [name, inner.map(withNullId)];
    return [name, name === "requests" || name === "models" || name === "insertOne" ? insertable(inner) : inner];
  });
  return Object.fromEntries(entries) as Value;
}

function withNullId(document: unknown): unknown {
  return isPlain(document) && document["_id"] === null ? { ...document, _id: { toBSON: (): null => null } } : document;
}

function has(value: unknown, name: string): boolean {
  return isPlain(value) && name in value;
}

function isObject(value: unknown): value is Arguments {
  return typeof value === "object" && value !== null;
}
