import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import {
  backupPolicyAttribute,
  connectionStringAttribute,
  ExternalDeployment,
  presentExternalDeployment,
} from "./external-deployment.ts";

/** `PATCH .../externalDeployments/{deploymentName}`: Telamon's own. */
export const updateGroupExternalDeployment = defineOperation({
  operationId: "updateGroupExternalDeployment",
  tag: "External Deployments",
  summary: "Replace the connection string or the backup settings of one deployment that runs elsewhere",
  description:
    "A new string is tried as when a deployment is attached, and attaches one that was detached. What is left out stays. Needs Project Owner.",
  method: "PATCH",
  route: `${externalDeploymentsRoute}/{deploymentName}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER"] },
  rateLimit: "externalDeployments",
  path: Type.Object({ groupId, deploymentName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          connectionString: Type.Optional(connectionStringAttribute),
          backupPolicy: Type.Optional(backupPolicyAttribute),
        },
        { additionalProperties: false },
      ),
      response: ExternalDeployment,
      status: 200,
      handler: async ({ path, body, href }, { externalDeployments }) =>
        presentExternalDeployment(await externalDeployments.update(path.groupId, path.deploymentName, body), href),
    },
  },
});
