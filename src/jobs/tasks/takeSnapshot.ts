import { completion } from "../../domain/backups/completed-snapshot.ts";
import type { IncrementTally } from "../../domain/backups/increment-tally.ts";
import type { SnapshotInHand, SnapshotTransitions } from "../../domain/backups/snapshot-transitions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DeploymentSources } from "../../ports/deployment-sources.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Log } from "../../ports/log.ts";
import {
  type CataloguedSnapshot,
  type CollectionDescription,
  type CommittedSnapshot,
  SnapshotDamaged,
  type SnapshotFacts,
  type SnapshotRepository,
  type SnapshotWriter,
} from "../../ports/snapshot-repository.ts";
import { CatalogueChanged } from "../../ports/snapshot-source.ts";
import { atOnce } from "../at-once.ts";
import { copyCollection, incrementFacts } from "../copy-collection.ts";
import { type IncrementCheckEvery, planIncrement } from "../increment-plan.ts";
import { defineTask, type Task } from "../define-task.ts";
import { createWantedCheck, NotWanted } from "../still-wanted.ts";

export interface TakeSnapshotParts {
  readonly transitions: SnapshotTransitions;
  readonly sources: DeploymentSources;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly log: Log;
  readonly incrementCheckEvery: IncrementCheckEvery;
  readonly increments: Pick<IncrementTally, "add">;
}

interface Taken {
  readonly committed: CommittedSnapshot;
  readonly facts: SnapshotFacts;
}

/** Collections that are copied at once: while one waits for the source, another has something to store. Each takes some megabytes of memory. */
const collectionsAtOnce = 4;
/** How often progress is logged at most. */
const progressMs = 10_000;

/** Reads a deployment into the store. `completed` is said in one transaction, after everything was durable and read back. */
export function takeSnapshot(parts: TakeSnapshotParts): Task {
  return defineTask({
    kind: "takeSnapshot",
    attemptsMax: 3,
    async run(job, signal) {
      const inHand = await parts.transitions.begin(job);
      if (inHand === undefined) return;
      try {
        const wanted = createWantedCheck(parts.clock, signal, () => parts.transitions.begin(job));
        const { committed, facts } = await take(parts, inHand, signal, wanted);
        const completedAtMs = parts.clock.nowMs();
        // Before anybody says that it is completed: who loses the metadata must find every completed snapshot in the store.
        await parts.repository.catalogue(catalogueRecord(job, inHand, committed, facts, completedAtMs));
        if (await parts.transitions.complete(job, committed, facts, completedAtMs)) {
          parts.increments.add(facts);
          logCompleted(parts.log, inHand, committed, facts);
        }
      } catch (error) {
        if (!(error instanceof NotWanted)) throw error;
        parts.log.info(
          { deploymentId: inHand.deployment.id, snapshotId: inHand.snapshot.id },
          "a snapshot is not wanted any more",
        );
      }
    },
    async giveUp(job, reason) {
      await parts.transitions.fail(job, reason);
    },
  });
}

function catalogueRecord(
  { leaseToken }: LeasedJob,
  { snapshot, deployment, project, organization }: SnapshotInHand,
  committed: CommittedSnapshot,
  facts: SnapshotFacts,
  completedAtMs: number,
): CataloguedSnapshot {
  const completed = { ...snapshot, ...completion(snapshot, committed, facts, completedAtMs) };
  // The lease goes up with every attempt: of two that came so far, the later one is the true one, whatever the clock did.
  return { revision: leaseToken, organization, project, deployment, snapshot: completed };
}

/** Reads once more when the catalogue changed meanwhile, and without the snapshot before when that one turns out to be damaged: it costs sharing with it, not the snapshot. */
async function take(
  parts: TakeSnapshotParts,
  inHand: SnapshotInHand,
  signal: AbortSignal,
  wanted: () => Promise<void>,
): Promise<Taken> {
  let { parentManifestKey } = inHand;
  for (let changed = false; ;) {
    try {
      return await readIntoStore(parts, inHand, parentManifestKey, signal, wanted);
    } catch (error) {
      const about = { deploymentId: inHand.deployment.id, snapshotId: inHand.snapshot.id };
      if (error instanceof CatalogueChanged && !changed) {
        changed = true;
        parts.log.warn(about, "collections were changed while they were read; they are read once more");
      } else if (error instanceof SnapshotDamaged && parentManifestKey !== undefined) {
        parentManifestKey = undefined;
        parts.log.error(
          { ...about, objectKey: error.objectKey },
          "the snapshot before is damaged; everything is stored again",
        );
      } else {
        throw error;
      }
    }
  }
}

async function readIntoStore(
  { sources, repository, clock, log, incrementCheckEvery }: TakeSnapshotParts,
  { snapshot, deployment }: SnapshotInHand,
  parentManifestKey: string | undefined,
  signal: AbortSignal,
  wanted: () => Promise<void>,
): Promise<Taken> {
  const { source, connectionString } = await sources.of(deployment);
  const reading = await source.open(connectionString, signal);
  let writer: SnapshotWriter | undefined;
  try {
    writer = await repository.begin({
      lineageId: deployment.id,
      snapshotId: snapshot.id,
      ...(parentManifestKey === undefined ? {} : { parentManifestKey }),
    });
    const progress = createProgress(clock, log, snapshot.id, reading.collections.length);
    const plan = await planIncrement(reading, writer.parent, incrementCheckEvery);
    const about = { deploymentId: deployment.id, snapshotId: snapshot.id };
    if (plan.reason !== undefined) log.info({ ...about, reason: plan.reason }, "everything is read for a snapshot");
    const copy = { reading, writer, plan, log, about };
    const copied = await atOnce(reading.collections, collectionsAtOnce, async (description, stop) => {
      await wanted();
      return copyCollection(copy, description, async (sizeBytes) => {
        stop.throwIfAborted();
        progress(description, sizeBytes);
        await wanted();
      });
    });
    await reading.confirmCatalogue();
    await wanted();
    const facts = { ...reading.facts, ...incrementFacts(writer.parent?.facts, copied) };
    const committed = await writer.commit(facts);
    // What it shares with snapshots before has been locked since those were taken. The newest stays for longer than its time, if no other comes.
    const kept = { manifestKey: committed.manifestKey, keptUntilMs: Number.POSITIVE_INFINITY };
    await repository.locks?.renew(kept, clock.nowMs(), signal);
    return { committed, facts };
  } catch (error) {
    await writer?.abort();
    throw error;
  } finally {
    await reading.close();
  }
}

function createProgress(
  clock: Clock,
  log: Log,
  snapshotId: string,
  collectionCount: number,
): (description: CollectionDescription, sizeBytes: number) => void {
  let readSizeBytes = 0;
  let saidMs = clock.monotonicMs();
  return ({ database, name }, sizeBytes) => {
    readSizeBytes += sizeBytes;
    if (clock.monotonicMs() - saidMs < progressMs) return;
    saidMs = clock.monotonicMs();
    log.info(
      { snapshotId, collection: `${database}.${name}`, collectionCount, readSizeBytes },
      "a snapshot is being taken",
    );
  };
}

function logCompleted(
  log: Log,
  { snapshot, deployment }: SnapshotInHand,
  committed: CommittedSnapshot,
  { consistency, incrementsInARow, incrementCheck }: SnapshotFacts,
): void {
  const { storageSizeBytes, addedSizeBytes, documentCount, dataSizeBytes } = committed;
  log.info(
    {
      deploymentId: deployment.id,
      snapshotId: snapshot.id,
      consistency,
      // Absent: everything was read, or nothing was compared.
      incrementsInARow,
      incrementCheck,
      documentCount,
      dataSizeBytes,
      storageSizeBytes,
      addedSizeBytes,
    },
    "a snapshot is completed",
  );
}
