import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { CommittedSnapshot, SnapshotFacts } from "../../ports/snapshot-repository.ts";

/** A snapshot that this lease may take now. */
export interface SnapshotInHand {
  readonly snapshot: SnapshotRecord;
  readonly deployment: DeploymentRecord;
  /** Manifest of the newest completed snapshot of the deployment, whose data can be shared. */
  readonly parentManifestKey: string | undefined;
}

/**
 * The only way a snapshot changes its status. Each is one transaction, fenced by the lease: who has lost the job changes nothing.
 * Jobs of kind `takeSnapshot` have the snapshot's id as subject and the deployment's id as exclusive key.
 */
export interface SnapshotTransitions {
  /**
   * Queues a scheduled snapshot of a due deployment and plans the next one, in one transaction. Undefined, and nothing happens, when it is
   * not due any more. While a scheduled one still waits only the plan moves on, so that nothing piles up.
   */
  queueScheduled(deploymentId: string): Promise<SnapshotRecord | undefined>;
  /**
   * `inProgress`. Undefined when there is nothing left to do (the lease is lost, the snapshot is gone or has ended, or the deployment is being
   * deleted, which fails it); a job still held is finished then.
   */
  begin(job: LeasedJob): Promise<SnapshotInHand | undefined>;
  /** `completed` with what was committed, and the job finished. False, and nothing changed, when the lease is lost. */
  complete(job: LeasedJob, committed: CommittedSnapshot, facts: SnapshotFacts): Promise<boolean>;
  /** `failed` with one sentence for people, and the job finished. False, and nothing changed, when the lease is lost. */
  fail(job: LeasedJob, reason: string): Promise<boolean>;
}
