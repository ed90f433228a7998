import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";

/** `DELETE .../externalDeployments/{deploymentName}`: Telamon's own. */
export const deleteGroupExternalDeployment = defineOperation({
  operationId: "deleteGroupExternalDeployment",
  tag: "External Deployments",
  summary: "Detach one deployment that runs elsewhere",
  description:
    "Forgets the connection string; nothing in the deployment itself is changed. Its snapshots stay until they expire and can be restored; with `deleteSnapshots=true` they are deleted and nothing of it stays. Needs Project Owner.",
  method: "DELETE",
  route: `${externalDeploymentsRoute}/{deploymentName}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName }),
  query: Type.Object({
    deleteSnapshots: Type.Optional(
      Type.Union([Type.Literal("true"), Type.Literal("false")], {
        description: "Whether its snapshots are deleted too; false when left out.",
      }),
    ),
  }),
  versions: {
    "2023-01-01": {
      response: undefined,
      status: 204,
      handler: async ({ path, query }, { externalDeployments }) =>
        externalDeployments.detach(path.groupId, path.deploymentName, query.deleteSnapshots === "true"),
    },
  },
});
