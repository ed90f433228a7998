import type { SnapshotInHand, SnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { DeploymentHost } from "../../ports/deployment-host.ts";
import type { Log } from "../../ports/log.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import { type CommittedSnapshot, SnapshotDamaged, type SnapshotFacts, type SnapshotRepository, type SnapshotWriter } from "../../ports/snapshot-repository.ts";
import type { SnapshotSource, SourceReading } from "../../ports/snapshot-source.ts";
import { defineTask, type Task } from "../define-task.ts";

interface Parts {
  readonly transitions: SnapshotTransitions;
  readonly host: DeploymentHost;
  readonly source: SnapshotSource;
  readonly repository: SnapshotRepository;
  readonly log: Log;
}

/** Reads a deployment into the store. `completed` is said in one transaction, after everything was durable and read back. */
export function takeSnapshot(parts: Parts): Task {
  return defineTask({
    kind: "takeSnapshot",
    attemptsMax: 3,
    async run(job, signal) {
      const inHand = await parts.transitions.begin(job);
      if (inHand === undefined) return;
      const { committed, facts } = await readIntoStore(parts, inHand, signal);
      await complete(parts, job, inHand, committed, facts);
    },
    async giveUp(job, reason) {
      await parts.transitions.fail(job, reason);
    },
  });
}

async function complete(parts: Parts, job: LeasedJob, { snapshot, deployment }: SnapshotInHand, committed: CommittedSnapshot, facts: SnapshotFacts): Promise<void> {
  const done = await parts.transitions.complete(job, committed, facts);
  if (!done) return;
  const { storageSizeBytes, addedSizeBytes, documentCount, dataSizeBytes } = committed;
  parts.log.info({ deploymentId: deployment.id, snapshotId: snapshot.id, consistency: facts.consistency, documentCount, dataSizeBytes, storageSizeBytes, addedSizeBytes }, "a snapshot is completed");
}

async function readIntoStore(parts: Parts, inHand: SnapshotInHand, signal: AbortSignal): Promise<{ committed: CommittedSnapshot; facts: SnapshotFacts }> {
  const reading = await parts.source.open(await parts.host.systemConnectionString(inHand.deployment.id), signal);
  let writer: SnapshotWriter | undefined;
  try {
    writer = await beginWriting(parts, inHand);
    for (const description of reading.collections) await copyCollection(reading, writer, description, signal);
    await reading.confirmCatalogue();
    signal.throwIfAborted();
    return { committed: await writer.commit(reading.facts), facts: reading.facts };
  } catch (error) {
    await writer?.abort();
    throw error;
  } finally {
    await reading.close();
  }
}

/** A damaged parent costs the sharing with it, not the snapshot. */
async function beginWriting({ repository, log }: Parts, { snapshot, deployment, parentManifestKey }: SnapshotInHand): Promise<SnapshotWriter> {
  const alone = { lineageId: deployment.id, snapshotId: snapshot.id };
  if (parentManifestKey === undefined) return repository.begin(alone);
  try {
    return await repository.begin({ ...alone, parentManifestKey });
  } catch (error) {
    if (!(error instanceof SnapshotDamaged)) throw error;
    log.error({ snapshotId: snapshot.id, objectKey: error.objectKey }, "the snapshot before is damaged; everything is stored again");
    return repository.begin(alone);
  }
}

async function copyCollection(reading: SourceReading, writer: SnapshotWriter, description: SourceReading["collections"][number], signal: AbortSignal): Promise<void> {
  const collection = await writer.beginCollection(description);
  if (description.type === "collection") {
    for await (const documents of reading.documents(description.database, description.name)) {
      signal.throwIfAborted();
      await collection.write(documents);
    }
  }
  await collection.end();
}
