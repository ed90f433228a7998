import type { DeploymentRecord } from "../../ports/metadata/deployment-records.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";

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

export function createDeploymentTransitions({ metadata }: { readonly metadata: Metadata }): DeploymentTransitions {
  return {
    begin: (job) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.holds(job))) return undefined;
        const deployment = await records.deployments.find(job.subjectId);
        const wanted = deployment !== undefined && (job.kind === "deprovision") === (deployment.state === "DELETING");
        if (wanted) return deployment;
        await records.jobs.finish(job);
        return undefined;
      }),
    provisioned: (job, port) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.finish(job))) return false;
        const deployment = await records.deployments.find(job.subjectId);
        if (deployment === undefined) return true;
        // A deletion asked for meanwhile has its own job behind this one and stays.
        const state = deployment.state === "DELETING" ? deployment.state : "IDLE";
        await records.deployments.update(deployment.id, { state, port });
        return true;
      }),
    removed: (job) =>
      metadata.transaction(async (records) => {
        if (!(await records.jobs.finish(job))) return false;
        await records.deployments.delete(job.subjectId);
        return true;
      }),
  };
}
