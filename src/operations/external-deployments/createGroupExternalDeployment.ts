import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import {
  backupPolicyAttribute,
  connectionStringAttribute,
  ExternalDeployment,
  presentExternalDeployment,
} from "./external-deployment.ts";

/** `POST .../externalDeployments`: Telamon's own. */
export const createGroupExternalDeployment = defineOperation({
  operationId: "createGroupExternalDeployment",
  tag: "External Deployments",
  summary: "Attach a deployment that runs elsewhere",
  description:
    "The connection string is tried at once: hello, the catalogue, a read at one time and the operation log; it is kept sealed and never shown again. Users and roles of its `admin` database are not backed up. Needs Project Owner.",
  method: "POST",
  route: `${externalDeploymentsRoute}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER"] },
  rateLimit: "externalDeployments",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          connectionString: connectionStringAttribute,
          backupPolicy: Type.Optional(backupPolicyAttribute),
          name: Type.String({ minLength: 1, maxLength: 64 }),
        },
        { additionalProperties: false },
      ),
      response: ExternalDeployment,
      status: 201,
      handler: async ({ path, body, href }, { externalDeployments }) =>
        presentExternalDeployment(await externalDeployments.attach(path.groupId, body), href),
    },
  },
});
