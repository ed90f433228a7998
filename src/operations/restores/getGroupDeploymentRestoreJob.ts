import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId, restoreJobId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentRestoreJob, presentDeploymentRestoreJob } from "./deployment-restore-job.ts";

/** `GET .../deployments/{deploymentName}/restoreJobs/{restoreJobId}`: Telamon's own. */
export const getGroupDeploymentRestoreJob = defineOperation({
  operationId: "getGroupDeploymentRestoreJob",
  tag: "Restores",
  summary: "Return one restore of one snapshot of one deployment",
  description: "Needs Project Owner or Backup Manager.",
  method: "GET",
  route: `${deploymentRoute}/restoreJobs/{restoreJobId}`,
  extension: true,
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName, restoreJobId }),
  versions: {
    "2023-01-01": {
      response: DeploymentRestoreJob,
      status: 200,
      handler: async ({ path, href }, { deploymentRestoreJobs }) =>
        presentDeploymentRestoreJob(
          await deploymentRestoreJobs.get(path.groupId, path.deploymentName, path.restoreJobId),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
