import { Type } from "typebox";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { anyDeploymentName, groupId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "./deployment-snapshot.ts";

/** `GET .../deployments/{deploymentName}/snapshots`: Telamon's own. */
export const listGroupDeploymentSnapshots = defineListOperation({
  operationId: "listGroupDeploymentSnapshots",
  tag: "Snapshot Care",
  summary: "Return all snapshots of one deployment with what keeps and proves them",
  description: "Of deployments of every kind, newest first. Needs Project Read Only.",
  method: "GET",
  route: `${deploymentRoute}/snapshots`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName }),
  versions: {
    "2023-01-01": {
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, page, href }, { snapshotCare }) =>
        mapPage(await snapshotCare.list(path.groupId, path.deploymentName, page), (snapshot) =>
          presentDeploymentSnapshot(snapshot, path.groupId, path.deploymentName, href),
        ),
    },
  },
});
