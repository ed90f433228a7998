import type { RestoreInHand, RestoreTransitions } from "../../domain/backups/restore-transitions.ts";
import type { DeploymentHost, RestoreStaging } from "../../ports/deployment-host.ts";
import type { Log } from "../../ports/log.ts";
import { SnapshotDamaged, type SnapshotReader, type SnapshotRepository, type StoredCollection } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";

interface Parts {
  readonly transitions: RestoreTransitions;
  readonly host: DeploymentHost;
  readonly repository: SnapshotRepository;
  readonly log: Log;
}

/** The restored data is not what the snapshot holds; trying again would not help. */
class NotProven extends Error {}

/**
 * Loads a snapshot into the target's next generation, reads it back from there and compares, and only then makes it the true one. Whatever fails before leaves the target
 * as it was.
 */
export function restore(parts: Parts): Task {
  return defineTask({
    kind: "restore",
    attemptsMax: 3,
    async run(job, signal) {
      const inHand = await parts.transitions.begin(job);
      if (inHand === undefined) return;
      try {
        await load(parts, inHand, signal);
      } catch (error) {
        if (!(error instanceof SnapshotDamaged) && !(error instanceof NotProven)) throw error;
        parts.log.error({ restoreJobId: job.subjectId, err: error }, "a restore failed for good");
        await parts.transitions.fail(job, error.message);
        return;
      }
      if (!(await parts.transitions.finish(job, inHand.nextGeneration))) return;
      await parts.host.switchGeneration(inHand.target.id, inHand.nextGeneration);
      parts.log.info({ restoreJobId: job.subjectId, deploymentId: inHand.target.id, snapshotId: inHand.snapshot.id }, "a restore is finished");
    },
    async giveUp(job, reason) {
      await parts.transitions.fail(job, reason);
    },
  });
}

async function load({ repository, host }: Parts, { snapshot, target, nextGeneration }: RestoreInHand, signal: AbortSignal): Promise<void> {
  const reader = await repository.open(snapshot.manifestKey);
  const staging = await host.openStaging(target.id, nextGeneration);
  try {
    for (const collection of reader.collections) await loadCollection(reader, staging, collection, signal);
    await prove(reader, staging, signal);
    await staging.finish();
  } catch (error) {
    await staging.abort();
    throw error;
  }
}

async function loadCollection(reader: SnapshotReader, staging: RestoreStaging, collection: StoredCollection, signal: AbortSignal): Promise<void> {
  const { database, name, indexes } = collection;
  await staging.createCollection(collection);
  for await (const documents of reader.documents(database, name)) {
    signal.throwIfAborted();
    await staging.insertDocuments(database, name, documents);
  }
  await staging.createIndexes(database, name, indexes);
}

/** What stands in the new file must be the snapshot: every collection with its options and indexes, every document byte for byte in the same order. */
async function prove(reader: SnapshotReader, staging: RestoreStaging, signal: AbortSignal): Promise<void> {
  const found = new Map((await staging.collections()).map((collection) => [`${collection.database}.${collection.name}`, collection]));
  if (found.size !== reader.collections.length) throw new NotProven(`the restore made ${found.size} collections where the snapshot has ${reader.collections.length}`);
  for (const expected of reader.collections) {
    signal.throwIfAborted();
    const key = `${expected.database}.${expected.name}`;
    const actual = found.get(key);
    if (actual === undefined) throw new NotProven(`${key} is missing after the restore`);
    if (!sameBytes([actual.options], [expected.options])) throw new NotProven(`the options of ${key} are not those of the snapshot`);
    if (!sameBytes(actual.indexes, expected.indexes)) throw new NotProven(`the indexes of ${key} are not those of the snapshot`);
    const compared = await reader.compare(expected.database, expected.name, staging.documents(expected.database, expected.name));
    if (!compared.equal || compared.documentCount !== expected.documentCount) throw new NotProven(`the documents of ${key} are not those of the snapshot`);
  }
}

function sameBytes(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return one.length === other.length && one.every((bytes, index) => Buffer.from(bytes).equals(other[index] as Uint8Array));
}
