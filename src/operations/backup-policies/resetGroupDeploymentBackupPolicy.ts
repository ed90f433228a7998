import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentBackupPolicy, presentDeploymentBackupPolicy } from "./deployment-backup-policy.ts";

/** `DELETE .../deployments/{deploymentName}/backupPolicy`: Telamon's own. */
export const resetGroupDeploymentBackupPolicy = defineOperation({
  operationId: "resetGroupDeploymentBackupPolicy",
  tag: "Backup Policies",
  summary: "Give one deployment back the backup policy of its kind",
  description: "Snapshots that were taken are kept as long as they were to be. Needs Project Owner or Backup Manager.",
  method: "DELETE",
  route: `${deploymentRoute}/backupPolicy`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName }),
  versions: {
    "2023-01-01": {
      response: DeploymentBackupPolicy,
      status: 200,
      handler: async ({ path, href }, { backupPolicies }) =>
        presentDeploymentBackupPolicy(await backupPolicies.reset(path.groupId, path.deploymentName), href),
    },
  },
});
