import { keptUntilMs } from "../../domain/backups/kept-until.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { type KeptSnapshot, SnapshotDamaged, type SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import { requestLockRenewal } from "../request-lock-renewal.ts";

export interface RenewLocksParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

const dayMs = 86_400_000;
/** Snapshots read from the metadata at once. */
const batch = 500;

/** Looks at what every snapshot needs and locks anew what would not be locked for long any more, every day, or more often where locks are short. */
export function renewLocks(parts: RenewLocksParts): Task {
  const { metadata, repository, clock, log } = parts;
  const endAndComeBack = async (job: LeasedJob): Promise<void> => {
    await metadata.jobs.finish(job);
    const { locks } = repository;
    // Objects are left alone while three quarters of a lock are left: they are looked at twice more at least before it ends.
    if (locks !== undefined)
      await requestLockRenewal(parts, clock.nowMs() + Math.min(dayMs, Math.floor(locks.durationMs / 4)));
  };
  return defineTask({
    kind: "renewLocks",
    attemptsMax: 5,
    async run(job, signal) {
      const { locks } = repository;
      if (locks !== undefined) {
        let renewedCount = await locks.renewKeys(clock.nowMs(), signal);
        for (const { id } of await metadata.deployments.all())
          for await (const snapshot of keptSnapshots(metadata, id))
            try {
              renewedCount += await locks.renew(snapshot, clock.nowMs(), signal);
            } catch (error) {
              if (!(error instanceof SnapshotDamaged)) throw error;
              const { objectKey, message: reason } = error;
              log.error({ objectKey, reason }, "a snapshot's objects could not all be locked anew");
            }
        if (renewedCount > 0) log.info({ objectCount: renewedCount }, "objects of the store were locked anew");
      }
      await endAndComeBack(job);
    },
    async giveUp(job, reason) {
      log.error({ reason }, "objects of the store could not be locked anew; it is tried again");
      await endAndComeBack(job);
    },
  });
}

/** Completed snapshots of a deployment and until when they stay. */
async function* keptSnapshots(metadata: Metadata, deploymentId: string): AsyncGenerator<KeptSnapshot> {
  let before: number | undefined;
  let newerCount = 0;
  for (;;) {
    const snapshots = await metadata.snapshots.completedBefore(deploymentId, before, batch);
    for (const snapshot of snapshots) {
      const { manifestKey, drillFailureReason } = snapshot;
      if (manifestKey !== undefined) yield { manifestKey, keptUntilMs: keptUntilMs(snapshot, newerCount) };
      if (drillFailureReason === undefined) newerCount += 1;
    }
    before = snapshots.at(-1)?.sequence;
    if (snapshots.length < batch) return;
  }
}
