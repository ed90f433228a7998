import type { Clock } from "../../ports/clock.ts";
import type { DeploymentHost } from "../../ports/deployment-host.ts";
import type { Ids } from "../../ports/ids.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Log } from "../../ports/log.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { SnapshotDamaged, type SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import { NotProven, stageAndProve } from "../prove-restore.ts";
import { reasonOf } from "../reason.ts";
import { recordDrill } from "../record-drill.ts";

export interface DrillParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly host: DeploymentHost;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/**
 * Restores a snapshot on trial into a data file that nobody serves, compares every collection, index and document with the snapshot, and deletes the file. The snapshot then
 * says when it was last proven restorable. Jobs of kind `drill` have the snapshot's id as subject and the deployment's id as exclusive key.
 */
export function drill(parts: DrillParts): Task {
  const { metadata, clock, log } = parts;
  return defineTask({
    kind: "drill",
    attemptsMax: 2,
    async run(job, signal) {
      const snapshot = await metadata.snapshots.find(job.exclusiveKey, job.subjectId);
      if (snapshot?.status !== "completed" || snapshot.manifestKey === undefined) {
        await metadata.jobs.finish(job);
        return;
      }
      try {
        await restoreOnTrial(parts, job.id, snapshot.manifestKey, signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof SnapshotDamaged || error instanceof NotProven)) throw error;
        await end(job, reasonOf(error));
        return;
      }
      await end(job, undefined);
    },
    giveUp: (job, reason) => end(job, reason),
  });

  /** Undefined: the snapshot is proven. */
  async function end(job: LeasedJob, failureReason: string | undefined): Promise<void> {
    const atMs = clock.nowMs();
    const isOurs = await metadata.transaction(async (records) => {
      if (!(await records.jobs.finish(job))) return false;
      const result = { deploymentId: job.exclusiveKey, snapshotId: job.subjectId, atMs, failureReason };
      return recordDrill(records, parts.ids, result);
    });
    if (!isOurs) return;
    const snapshotId = job.subjectId;
    if (failureReason === undefined) log.info({ snapshotId }, "a snapshot is proven restorable");
    else log.error({ snapshotId, reason: failureReason }, "a snapshot could not be restored on trial");
  }
}

/** `scratchId` (24 hex digits) names the data file; what a dead drill left under it goes first. Throws when the snapshot does not restore to what it holds. */
export async function restoreOnTrial(
  { repository, host }: Pick<DrillParts, "repository" | "host">,
  scratchId: string,
  manifestKey: string,
  signal: AbortSignal,
): Promise<void> {
  const reader = await repository.open(manifestKey);
  const staging = await host.openStaging(scratchId, 1);
  try {
    await stageAndProve(reader, staging, async () => signal.throwIfAborted());
  } finally {
    await staging.abort();
    await host.remove(scratchId);
  }
}
