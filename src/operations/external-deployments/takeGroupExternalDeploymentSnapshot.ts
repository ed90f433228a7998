import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { deploymentName, groupId } from "../parameters.ts";
import { externalDeploymentsRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "../snapshot-care/deployment-snapshot.ts";

/** `POST .../externalDeployments/{deploymentName}/snapshots`: Telamon's own. */
export const takeGroupExternalDeploymentSnapshot = defineOperation({
  operationId: "takeGroupExternalDeploymentSnapshot",
  tag: "External Deployments",
  summary: "Take one snapshot of one deployment that runs elsewhere now",
  description:
    "One at a time for each deployment. How it was read is told by `consistency`. Needs Project Owner, Cluster Manager or Backup Manager.",
  method: "POST",
  route: `${externalDeploymentsRoute}/{deploymentName}/snapshots`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_CLUSTER_MANAGER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          description: Type.Optional(Type.String({ maxLength: 1000, description: "What the snapshot is for." })),
          retentionInDays: Type.Integer({
            minimum: 1,
            maximum: 3650,
            description: "Days from completion for which it is kept.",
          }),
        },
        { additionalProperties: false },
      ),
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, body, href }, { externalSnapshots }) =>
        presentDeploymentSnapshot(
          await externalSnapshots.take(path.groupId, path.deploymentName, body),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
