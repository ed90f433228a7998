import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId, snapshotId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "./deployment-snapshot.ts";

/** `DELETE .../deployments/{deploymentName}/snapshots/{snapshotId}/hold`: Telamon's own. */
export const releaseGroupDeploymentSnapshot = defineOperation({
  operationId: "releaseGroupDeploymentSnapshot",
  tag: "Snapshot Care",
  summary: "Let go of one snapshot that is held",
  description: "It expires again as it would have without the hold. Needs Project Owner or Backup Manager.",
  method: "DELETE",
  route: `${deploymentRoute}/snapshots/{snapshotId}/hold`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, href }, { snapshotCare }) =>
        presentDeploymentSnapshot(
          await snapshotCare.release(path.groupId, path.deploymentName, path.snapshotId),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
