import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import { ExternalDeployment, presentExternalDeployment } from "./external-deployment.ts";

/** `POST .../externalDeployments/{deploymentName}/probe`: Telamon's own. */
export const probeGroupExternalDeployment = defineOperation({
  operationId: "probeGroupExternalDeployment",
  tag: "External Deployments",
  summary: "Try again what one deployment that runs elsewhere can do",
  description:
    "Answers what was found, also that it cannot be used now. Needs Project Owner, Cluster Manager or Backup Manager.",
  method: "POST",
  route: `${externalDeploymentsRoute}/{deploymentName}/probe`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_CLUSTER_MANAGER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "externalDeployments",
  path: Type.Object({ groupId, deploymentName }),
  versions: {
    "2023-01-01": {
      response: ExternalDeployment,
      status: 200,
      handler: async ({ path, href }, { externalDeployments }) =>
        presentExternalDeployment(await externalDeployments.probe(path.groupId, path.deploymentName), href),
    },
  },
});
