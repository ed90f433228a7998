import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId, snapshotId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "./deployment-snapshot.ts";

/** `GET .../deployments/{deploymentName}/snapshots/{snapshotId}`: Telamon's own. */
export const getGroupDeploymentSnapshot = defineOperation({
  operationId: "getGroupDeploymentSnapshot",
  tag: "Snapshot Care",
  summary: "Return one snapshot of one deployment with what keeps and proves it",
  description: "Of a deployment of any kind. Needs Project Read Only.",
  method: "GET",
  route: `${deploymentRoute}/snapshots/{snapshotId}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, href }, { snapshotCare }) =>
        presentDeploymentSnapshot(
          await snapshotCare.get(path.groupId, path.deploymentName, path.snapshotId),
          path.groupId,
          path.deploymentName,
          href,
          await snapshotCare.isBeingDrilled(path.snapshotId),
        ),
    },
  },
});
