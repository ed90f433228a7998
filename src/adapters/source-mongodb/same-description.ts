import { isDeepStrictEqual } from "node:util";
import { deserialize, type Document } from "bson";
import type { CollectionDescription } from "../../ports/snapshot-repository.ts";

/** What servers add to a specification by themselves, each version its own. */
const addedByServers: readonly string[] = ["ns", "v", "background"];

/** Whether options mean the same: order and the types of numbers may differ between servers. */
export function sameOptions(one: Uint8Array, other: Uint8Array): boolean {
  return isDeepStrictEqual(deserialize(one), deserialize(other));
}

/** Whether two lists of indexes mean the same, in whatever order they were made; the order of the keys within an index counts. */
export function sameIndexes(one: CollectionDescription["indexes"], other: CollectionDescription["indexes"]): boolean {
  return isDeepStrictEqual(one.map(meaning).toSorted(byName), other.map(meaning).toSorted(byName));
}

function meaning(specification: Uint8Array): Document {
  const { key, ...rest } = deserialize(specification);
  for (const name of addedByServers) delete rest[name];
  return { ...rest, key: Object.entries(key as Document) };
}

function byName(one: Document, other: Document): number {
  return String(one["name"]) < String(other["name"]) ? -1 : 1;
}
