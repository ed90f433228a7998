import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";

/**
 * How the worker moves a deployment. Each is one transaction, fenced by the lease. Jobs of kind `provision` and `deprovision` have the
 * deployment's id as subject and as exclusive key.
 */
export interface DeploymentTransitions {
  /** The deployment to start or remove. Undefined, and a job still held is finished, when it is gone or (for `provision`) is being deleted. */
  begin(job: LeasedJob): Promise<DeploymentRecord | undefined>;
  /** `IDLE`, listening on `port`, and the job finished. False, and nothing changed, when the lease is lost. */
  provisioned(job: LeasedJob, port: number): Promise<boolean>;
  /** Removes the record with its snapshots and restore jobs, and finishes the job. False, and nothing changed, when the lease is lost. */
  removed(job: LeasedJob): Promise<boolean>;
}
