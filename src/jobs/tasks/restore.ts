import type { RestoreInHand, RestoreTransitions } from "../../domain/backups/restore-transitions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DeploymentHost, RestoreStaging } from "../../ports/deployment-host.ts";
import type { Log } from "../../ports/log.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import {
  SnapshotDamaged,
  type SnapshotReader,
  type SnapshotRepository,
  type StoredCollection,
} from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import { reasonOf } from "../reason.ts";
import { createWantedCheck, NotWanted } from "../still-wanted.ts";

export interface RestoreParts {
  readonly transitions: RestoreTransitions;
  readonly host: DeploymentHost;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly log: Log;
}

/** The restored data is not what the snapshot holds; trying again would not help. */
class NotProven extends Error {}

/**
 * Loads a snapshot into the target's next generation, reads it back from there and compares, and only then makes it the true one. Whatever fails before leaves the target
 * as it was; a process that dies after serves the new one at its next start.
 */
export function restore(parts: RestoreParts): Task {
  return defineTask({
    kind: "restore",
    attemptsMax: 3,
    async run(job, signal) {
      const inHand = await parts.transitions.begin(job);
      if (inHand === undefined) return;
      try {
        await carryOut(parts, job, inHand, signal);
      } catch (error) {
        if (error instanceof NotWanted) {
          parts.log.info({ restoreJobId: job.subjectId }, "a restore is not wanted any more");
          return;
        }
        if (signal.aborted || !isFinal(error)) throw error;
        parts.log.error({ restoreJobId: job.subjectId, reason: reasonOf(error) }, "a restore failed for good");
        await parts.transitions.fail(job, reasonOf(error));
      }
    },
    async giveUp(job, reason) {
      await parts.transitions.fail(job, reason);
    },
  });
}

async function carryOut(
  parts: RestoreParts,
  job: LeasedJob,
  inHand: RestoreInHand,
  signal: AbortSignal,
): Promise<void> {
  const { target, snapshot, nextGeneration } = inHand;
  const reader = await parts.repository.open(snapshot.manifestKey);
  const wanted = createWantedCheck(parts.clock, signal, () => parts.transitions.begin(job));
  const staging = await parts.host.openStaging(target.id, nextGeneration);
  try {
    await stage(reader, staging, wanted);
  } catch (error) {
    await staging.abort();
    throw error;
  }
  // When this throws, it is not known which generation is the true one: nothing is deleted then, the next start or attempt tidies up.
  if (!(await parts.transitions.finish(job, nextGeneration))) {
    await staging.abort();
    throw new Error("The target was changed while its restore was made.");
  }
  await parts.host.switchGeneration(target.id, nextGeneration);
  parts.log.info(
    { restoreJobId: job.subjectId, deploymentId: target.id, snapshotId: snapshot.id },
    "a restore is finished",
  );
}

async function stage(reader: SnapshotReader, staging: RestoreStaging, wanted: () => Promise<void>): Promise<void> {
  // All of them before any document: what the target cannot hold is found at once.
  for (const collection of reader.collections) await staging.createCollection(collection);
  for (const collection of reader.collections) await loadCollection(reader, staging, collection, wanted);
  await prove(reader, staging, wanted);
  await staging.finish();
  await wanted();
}

async function loadCollection(
  reader: SnapshotReader,
  staging: RestoreStaging,
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
async function prove(reader: SnapshotReader, staging: RestoreStaging, wanted: () => Promise<void>): Promise<void> {
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

/** Damage, a proof that failed, and what the target's database refuses (its errors have MongoDB's numbers) are the same at every attempt. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof SnapshotDamaged ||
    error instanceof NotProven ||
    typeof (error as { code?: unknown }).code === "number"
  );
}
