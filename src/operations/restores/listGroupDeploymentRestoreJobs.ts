import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { anyDeploymentName, groupId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentRestoreJob, presentDeploymentRestoreJob } from "./deployment-restore-job.ts";

/** `GET .../deployments/{deploymentName}/restoreJobs`: Telamon's own. */
export const listGroupDeploymentRestoreJobs = defineListOperation({
  operationId: "listGroupDeploymentRestoreJobs",
  tag: "Restores",
  summary: "Return all restores of snapshots of one deployment",
  description: "Newest first. Needs Project Owner or Backup Manager.",
  method: "GET",
  route: `${deploymentRoute}/restoreJobs`,
  extension: true,
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName }),
  versions: {
    "2023-01-01": {
      response: DeploymentRestoreJob,
      status: 200,
      handler: async ({ path, page, href }, { deploymentRestoreJobs }) =>
        mapPage(await deploymentRestoreJobs.list(path.groupId, path.deploymentName, page), (one) =>
          presentDeploymentRestoreJob(one, path.groupId, path.deploymentName, href),
        ),
    },
  },
});
