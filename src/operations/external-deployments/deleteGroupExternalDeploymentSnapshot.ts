import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId, snapshotId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";

/** `DELETE .../externalDeployments/{deploymentName}/snapshots/{snapshotId}`: Telamon's own. */
export const deleteGroupExternalDeploymentSnapshot = defineOperation({
  operationId: "deleteGroupExternalDeploymentSnapshot",
  tag: "External Deployments",
  summary: "Remove one snapshot of one deployment that runs elsewhere",
  description: "Not while it is being taken or a restore needs it. Needs Project Owner or Backup Manager.",
  method: "DELETE",
  route: `${externalDeploymentsRoute}/{deploymentName}/snapshots/{snapshotId}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: undefined,
      status: 204,
      handler: async ({ path }, { externalSnapshots }) =>
        externalSnapshots.delete(path.groupId, path.deploymentName, path.snapshotId),
    },
  },
});
