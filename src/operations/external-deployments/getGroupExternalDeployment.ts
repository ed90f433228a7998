import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import { ExternalDeployment, presentExternalDeployment } from "./external-deployment.ts";

/** `GET .../externalDeployments/{deploymentName}`: Telamon's own. */
export const getGroupExternalDeployment = defineOperation({
  operationId: "getGroupExternalDeployment",
  tag: "External Deployments",
  summary: "Return one deployment that runs elsewhere",
  description: "Hosts are shown, the connection string is not. Needs Project Read Only.",
  method: "GET",
  route: `${externalDeploymentsRoute}/{deploymentName}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName }),
  versions: {
    "2023-01-01": {
      response: ExternalDeployment,
      status: 200,
      handler: async ({ path, href }, { externalDeployments }) =>
        presentExternalDeployment(await externalDeployments.get(path.groupId, path.deploymentName), href),
    },
  },
});
