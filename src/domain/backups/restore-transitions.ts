import type { Clock } from "../../ports/clock.ts";
import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Metadata, MetadataRecords } from "../../ports/metadata/metadata.ts";
import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";

/** A restore that this lease may carry out now. */
export interface RestoreInHand {
  readonly restoreJob: RestoreJobRecord;
  readonly snapshot: SnapshotRecord & { readonly manifestKey: string };
  readonly target: DeploymentRecord;
  /** The generation to write; `finish` makes it the true one. */
  readonly nextGeneration: number;
}

/**
 * The only way a restore job ends. Each is one transaction, fenced by the lease: who has lost the job changes nothing.
 * Jobs of kind `restore` have the restore job's id as subject and the target deployment's id as exclusive key.
 */
export interface RestoreTransitions {
  /** Undefined when there is nothing left to do (lease lost, ended already, or it cannot be done, which fails it); a job still held is finished then. */
  begin(job: LeasedJob): Promise<RestoreInHand | undefined>;
  /** To be called before an external target is changed, which is known from then on. False when the lease is lost: nothing may be changed then. */
  publishing(job: LeasedJob): Promise<boolean>;
  /**
   * Marks the restore job finished, moves the target to `generation` and finishes the job. False, and nothing changed, when the lease is lost
   * or the target has moved meanwhile: what was staged must not be served then.
   */
  finish(job: LeasedJob, generation: number): Promise<boolean>;
  /** `failed` with one sentence for people, and the job finished; the target stays as it was, unless it was being changed, which is said then. False when the lease is lost. */
  fail(job: LeasedJob, reason: string): Promise<boolean>;
}

export interface RestoreTransitionsDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
}

export function createRestoreTransitions({ metadata, clock }: RestoreTransitionsDependencies): RestoreTransitions {
  const end = (records: MetadataRecords, restoreJobId: string, failureReason?: string): Promise<void> =>
    records.restoreJobs.update(restoreJobId, {
      finishedAtMs: clock.nowMs(),
      failed: failureReason !== undefined,
      failureReason,
    });
  const markFailed = async (records: MetadataRecords, job: LeasedJob, reason: string): Promise<boolean> => {
    if (!(await records.jobs.finish(job))) return false;
    const restoreJob = await unfinishedRestore(records, job);
    if (restoreJob === undefined) return false;
    const halfDone = restoreJob.publishing
      ? " The target was being changed: it may hold a part of the old and of the new data."
      : "";
    await end(records, restoreJob.id, `${reason}${halfDone}`);
    return true;
  };

  return {
    begin: (job) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.holds(job))) return undefined;
        const restoreJob = await unfinishedRestore(records, job);
        if (restoreJob === undefined) {
          await records.jobs.finish(job);
          return undefined;
        }
        const target = await records.deployments.find(restoreJob.targetDeploymentId);
        const snapshot = await records.snapshots.find(restoreJob.deploymentId, restoreJob.snapshotId);
        const manifestKey = snapshot?.manifestKey;
        if (target === undefined || target.state === "DELETING" || target.state === "DETACHED") {
          await markFailed(records, job, "The target is deleted, being deleted or detached.");
          return undefined;
        }
        if (snapshot?.status !== "completed" || manifestKey === undefined) {
          await markFailed(records, job, "The snapshot is not there any more.");
          return undefined;
        }
        return { restoreJob, snapshot: { ...snapshot, manifestKey }, target, nextGeneration: target.generation + 1 };
      }),
    publishing: (job) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.holds(job))) return false;
        const restoreJob = await unfinishedRestore(records, job);
        if (restoreJob === undefined) return false;
        await records.restoreJobs.update(restoreJob.id, { publishing: true });
        return true;
      }),
    finish: (job, generation) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.holds(job))) return false;
        const restoreJob = await unfinishedRestore(records, job);
        const target = await records.deployments.find(job.exclusiveKey);
        if (restoreJob === undefined || target === undefined || target.generation !== generation - 1) return false;
        await records.deployments.update(target.id, { generation });
        await end(records, restoreJob.id);
        await records.jobs.finish(job);
        return true;
      }),
    fail: (job, reason) => metadata.transaction((records) => markFailed(records, job, reason)),
  };
}

/** The job's restore while it is unfinished; a deployment is the target of one at a time. */
async function unfinishedRestore(records: MetadataRecords, job: LeasedJob): Promise<RestoreJobRecord | undefined> {
  const restoreJob = await records.restoreJobs.findUnfinishedFor(job.exclusiveKey);
  return restoreJob?.id === job.subjectId ? restoreJob : undefined;
}
