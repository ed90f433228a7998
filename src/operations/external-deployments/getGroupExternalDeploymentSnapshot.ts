import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId, snapshotId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "../snapshot-care/deployment-snapshot.ts";

/** `GET .../externalDeployments/{deploymentName}/snapshots/{snapshotId}`: Telamon's own. */
export const getGroupExternalDeploymentSnapshot = defineOperation({
  operationId: "getGroupExternalDeploymentSnapshot",
  tag: "External Deployments",
  summary: "Return one snapshot of one deployment that runs elsewhere",
  description: "Needs Project Read Only.",
  method: "GET",
  route: `${externalDeploymentsRoute}/{deploymentName}/snapshots/{snapshotId}`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, href }, { externalSnapshots }) =>
        presentDeploymentSnapshot(
          await externalSnapshots.get(path.groupId, path.deploymentName, path.snapshotId),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
