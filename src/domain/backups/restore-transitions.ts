import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
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
  /**
   * Marks the restore job finished, moves the target to `generation` and finishes the job. False, and nothing changed, when the lease is lost
   * or the target has moved meanwhile: what was staged must not be served then.
   */
  finish(job: LeasedJob, generation: number): Promise<boolean>;
  /** `failed` with one sentence for people, and the job finished; the target stays as it was. False when the lease is lost. */
  fail(job: LeasedJob, reason: string): Promise<boolean>;
}
