import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId, snapshotId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "./deployment-snapshot.ts";

/** `POST .../deployments/{deploymentName}/snapshots/{snapshotId}/drill`: Telamon's own. */
export const drillGroupDeploymentSnapshot = defineOperation({
  operationId: "drillGroupDeploymentSnapshot",
  tag: "Snapshot Care",
  summary: "Restore one snapshot on trial and compare it",
  description:
    "Answers at once; `restorability` of the snapshot tells the result when it is there. Nothing that is served is touched. Needs Project Owner or Backup Manager.",
  method: "POST",
  route: `${deploymentRoute}/snapshots/{snapshotId}/drill`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: DeploymentSnapshot,
      status: 202,
      handler: async ({ path, href }, { snapshotCare }) =>
        presentDeploymentSnapshot(
          await snapshotCare.drill(path.groupId, path.deploymentName, path.snapshotId),
          path.groupId,
          path.deploymentName,
          href,
          true,
        ),
    },
  },
});
