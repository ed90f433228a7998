import { Type } from "typebox";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "../snapshot-care/deployment-snapshot.ts";

/** `GET .../externalDeployments/{deploymentName}/snapshots`: Telamon's own. */
export const listGroupExternalDeploymentSnapshots = defineListOperation({
  operationId: "listGroupExternalDeploymentSnapshots",
  tag: "External Deployments",
  summary: "Return all snapshots of one deployment that runs elsewhere",
  description: "Newest first, also of one that is detached. Needs Project Read Only.",
  method: "GET",
  route: `${externalDeploymentsRoute}/{deploymentName}/snapshots`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName }),
  versions: {
    "2023-01-01": {
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, page, href }, { externalSnapshots }) =>
        mapPage(await externalSnapshots.list(path.groupId, path.deploymentName, page), (snapshot) =>
          presentDeploymentSnapshot(snapshot, path.groupId, path.deploymentName, href),
        ),
    },
  },
});
