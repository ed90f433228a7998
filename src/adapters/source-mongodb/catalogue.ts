import type { MongoClient } from "mongodb";
import type { CollectionDescription } from "../../ports/snapshot-repository.ts";
import { describeCollection, nameOf, type RawDocument } from "./raw-description.ts";

/** User collections and views of every database, in name order, options and indexes as the bytes that were answered. */
export async function readCatalogue(client: MongoClient): Promise<readonly CollectionDescription[]> {
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
  const descriptions: CollectionDescription[] = [];
  for (const { name } of databases) {
    // What these hold belongs to the server: its log, its shards, its sessions.
    if (name === "local" || name === "config") continue;
    descriptions.push(...(await readDatabase(client, name)));
  }
  return descriptions.toSorted(byName);
}

/** Whether two readings found the very same catalogue. */
export function sameCatalogue(one: readonly CollectionDescription[], other: readonly CollectionDescription[]): boolean {
  return one.length === other.length && one.every((description, index) => describes(description, other[index]));
}

/** The first collection that is not there any more, or was dropped and made again. */
export function firstReplaced(
  before: readonly CollectionDescription[],
  after: readonly CollectionDescription[],
): CollectionDescription | undefined {
  const present = new Map(after.map((description) => [keyOf(description), description]));
  return before.find((description) => {
    const now = present.get(keyOf(description));
    return now === undefined || now.type !== description.type || !sameBytes(now.uuid, description.uuid);
  });
}

async function readDatabase(client: MongoClient, database: string): Promise<CollectionDescription[]> {
  const handle = client.db(database);
  const found = (await handle
    .listCollections({}, { raw: true, nameOnly: false } as object)
    .toArray()) as unknown[] as RawDocument[];
  const descriptions: CollectionDescription[] = [];
  for (const document of found) {
    if (isServersOwn(database, nameOf(document))) continue;
    const listIndexes = async (name: string): Promise<RawDocument[]> =>
      (await handle.collection(name).listIndexes({ raw: true }).toArray()) as unknown[] as RawDocument[];
    descriptions.push(await describeCollection(database, document, listIndexes));
  }
  return descriptions;
}

/** Collections that a server makes and fills itself; `system.js` is its users'. */
function isServersOwn(database: string, name: string): boolean {
  if (database === "admin") return name.startsWith("system.");
  return ["system.profile", "system.views"].includes(name) || name.startsWith("system.buckets.");
}

function describes(one: CollectionDescription, other: CollectionDescription | undefined): boolean {
  return (
    other !== undefined &&
    keyOf(one) === keyOf(other) &&
    one.type === other.type &&
    sameBytes(one.uuid, other.uuid) &&
    sameBytes(one.options, other.options) &&
    one.indexes.length === other.indexes.length &&
    one.indexes.every((index, position) => sameBytes(index, other.indexes[position]))
  );
}

function sameBytes(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0;
}

/** `database.collection`. */
export function keyOf({ database, name }: Pick<CollectionDescription, "database" | "name">): string {
  // Names of databases have no dot.
  return `${database}.${name}`;
}

function byName(one: CollectionDescription, other: CollectionDescription): number {
  const [a, b] = [keyOf(one), keyOf(other)];
  return a < b ? -1 : Number(a > b);
}
