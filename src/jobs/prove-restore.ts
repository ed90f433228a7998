import type { RestoreStaging } from "../ports/deployment-host.ts";
import type { SnapshotReader, StoredCollection } from "../ports/snapshot-repository.ts";

/** The restored data is not what the snapshot holds; trying again would not help. */
export class NotProven extends Error {}

/** What a restore is loaded into and proven in, wherever that is. */
export type ProvableStaging = Omit<RestoreStaging, "finish" | "abort" | "applyWrites">;

/** Loads a snapshot into an empty place and compares what then stands there with it. Throws `NotProven` when it is not the same; `wanted` is called after every piece. */
export async function stageAndProve(
  reader: SnapshotReader,
  staging: ProvableStaging,
  wanted: () => Promise<void>,
): Promise<void> {
  // All of them before any document: what the target cannot hold is found at once.
  for (const collection of reader.collections) await staging.createCollection(collection);
  for (const collection of reader.collections) await loadCollection(reader, staging, collection, wanted);
  await prove(reader, staging, wanted);
}

async function loadCollection(
  reader: SnapshotReader,
  staging: ProvableStaging,
  { database, name, type, indexes }: StoredCollection,
  wanted: () => Promise<void>,
): Promise<void> {
  await wanted();
  if (type === "view") return;
  for await (const documents of reader.documents(database, name)) {
    await staging.insertDocuments(database, name, documents);
    await wanted();
  }
  await staging.createIndexes(database, name, indexes);
}

/** What stands in the new file must be the snapshot: every collection with its options and indexes, every document byte for byte in the same order. */
async function prove(reader: SnapshotReader, staging: ProvableStaging, wanted: () => Promise<void>): Promise<void> {
  const found = new Map(
    (await staging.collections()).map((collection) => [`${collection.database}.${collection.name}`, collection]),
  );
  if (found.size !== reader.collections.length)
    throw new NotProven(
      `The restore made ${found.size} collections where the snapshot has ${reader.collections.length}.`,
    );
  for (const expected of reader.collections) {
    const key = `${expected.database}.${expected.name}`;
    const actual = found.get(key);
    if (actual === undefined || actual.type !== expected.type)
      throw new NotProven(`${key} is missing after the restore.`);
    if (!sameBytes([actual.options], [expected.options]))
      throw new NotProven(`The options of ${key} are not those of the snapshot after the restore.`);
    if (!sameBytes(actual.indexes, expected.indexes))
      throw new NotProven(`The indexes of ${key} are not those of the snapshot after the restore.`);
    if (expected.type === "view") continue;
    const compared = await reader.compare(
      expected.database,
      expected.name,
      watched(staging.documents(expected.database, expected.name), wanted),
    );
    const counted = [compared.documentCount, actual.documentCount].every((count) => count === expected.documentCount);
    if (!compared.equal || !counted)
      throw new NotProven(`The documents of ${key} are not those of the snapshot after the restore.`);
  }
}

async function* watched(pieces: AsyncIterable<Uint8Array>, wanted: () => Promise<void>): AsyncIterable<Uint8Array> {
  for await (const piece of pieces) {
    await wanted();
    yield piece;
  }
}

function sameBytes(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return (
    one.length === other.length && one.every((bytes, index) => Buffer.from(bytes).equals(other[index] as Uint8Array))
  );
}
