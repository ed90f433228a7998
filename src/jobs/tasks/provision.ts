import type { DeploymentTransitions } from "../../domain/deployments/deployment-transitions.ts";
import type { DeploymentHost } from "../../ports/deployment-host.ts";
import type { Log } from "../../ports/log.ts";
import type { JobRecords } from "../../ports/metadata/job-records.ts";
import { defineTask, type Task } from "../define-task.ts";

export interface ProvisionParts {
  readonly transitions: DeploymentTransitions;
  readonly host: DeploymentHost;
  readonly jobs: JobRecords;
  readonly log: Log;
}

/** Makes a deployment's database reachable and the deployment IDLE. */
export function provision(parts: ProvisionParts): Task {
  return defineTask({
    kind: "provision",
    // A port may be free later; a deployment without a database is of no use, so this is not given up soon.
    attemptsMax: 20,
    async run(job) {
      const deployment = await parts.transitions.begin(job);
      if (deployment === undefined) return;
      const { id, projectId, name, generation, port } = deployment;
      const address = await parts.host.start({
        id,
        projectId,
        name,
        generation,
        ...(port === undefined ? {} : { port }),
      });
      await parts.transitions.provisioned(job, address.port);
    },
    async giveUp(job, reason) {
      parts.log.error(
        { deploymentId: job.subjectId, reason },
        "a database could not be started; the next start of the server tries again",
      );
      await parts.jobs.finish(job);
    },
  });
}
