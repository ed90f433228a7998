import { Type } from "typebox";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import { ExternalDeployment, presentExternalDeployment } from "./external-deployment.ts";

/** `GET .../externalDeployments`: Telamon's own. */
export const listGroupExternalDeployments = defineListOperation({
  operationId: "listGroupExternalDeployments",
  tag: "External Deployments",
  summary: "Return all deployments that run elsewhere",
  description: "Oldest first. The operations of the Atlas API do not show them. Needs Project Read Only.",
  method: "GET",
  route: `${externalDeploymentsRoute}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      response: ExternalDeployment,
      status: 200,
      handler: async ({ path, page, href }, { externalDeployments }) =>
        mapPage(await externalDeployments.list(path.groupId, page), (one) => presentExternalDeployment(one, href)),
    },
  },
});
