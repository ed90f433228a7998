import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId, restoreJobId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import {
  ExternalDeploymentRestoreJob,
  presentExternalDeploymentRestoreJob,
} from "./external-deployment-restore-job.ts";

/** `GET .../externalDeployments/{deploymentName}/restoreJobs/{restoreJobId}`: Telamon's own. */
export const getGroupExternalDeploymentRestoreJob = defineOperation({
  operationId: "getGroupExternalDeploymentRestoreJob",
  tag: "External Deployments",
  summary: "Return one restore of one snapshot of one deployment that runs elsewhere",
  description: "Needs Project Owner or Backup Manager.",
  method: "GET",
  route: `${externalDeploymentsRoute}/{deploymentName}/restoreJobs/{restoreJobId}`,
  extension: true,
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName, restoreJobId }),
  versions: {
    "2023-01-01": {
      response: ExternalDeploymentRestoreJob,
      status: 200,
      handler: async ({ path, href }, { externalRestoreJobs }) =>
        presentExternalDeploymentRestoreJob(
          await externalRestoreJobs.get(path.groupId, path.deploymentName, path.restoreJobId),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
