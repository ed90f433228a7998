import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentBackupPolicy, presentDeploymentBackupPolicy } from "./deployment-backup-policy.ts";

/** `GET .../deployments/{deploymentName}/backupPolicy`: Telamon's own. */
export const getGroupDeploymentBackupPolicy = defineOperation({
  operationId: "getGroupDeploymentBackupPolicy",
  tag: "Backup Policies",
  summary: "Return the backup policy of one deployment",
  description: "Of a deployment of any kind. Needs Project Read Only.",
  method: "GET",
  route: `${deploymentRoute}/backupPolicy`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName }),
  versions: {
    "2023-01-01": {
      response: DeploymentBackupPolicy,
      status: 200,
      handler: async ({ path, href }, { backupPolicies }) =>
        presentDeploymentBackupPolicy(await backupPolicies.get(path.groupId, path.deploymentName), href),
    },
  },
});
