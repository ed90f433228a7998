import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import {
  ExternalDeploymentRestoreJob,
  presentExternalDeploymentRestoreJob,
} from "./external-deployment-restore-job.ts";

/** `GET .../externalDeployments/{deploymentName}/restoreJobs`: Telamon's own. */
export const listGroupExternalDeploymentRestoreJobs = defineListOperation({
  operationId: "listGroupExternalDeploymentRestoreJobs",
  tag: "External Deployments",
  summary: "Return all restores of snapshots of one deployment that runs elsewhere",
  description: "Newest first. Needs Project Owner or Backup Manager.",
  method: "GET",
  route: `${externalDeploymentsRoute}/{deploymentName}/restoreJobs`,
  extension: true,
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName }),
  versions: {
    "2023-01-01": {
      response: ExternalDeploymentRestoreJob,
      status: 200,
      handler: async ({ path, page, href }, { externalRestoreJobs }) =>
        mapPage(await externalRestoreJobs.list(path.groupId, path.deploymentName, page), (one) =>
          presentExternalDeploymentRestoreJob(one, path.groupId, path.deploymentName, href),
        ),
    },
  },
});
