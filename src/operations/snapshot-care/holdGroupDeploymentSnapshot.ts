import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId, snapshotId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentSnapshot, presentDeploymentSnapshot } from "./deployment-snapshot.ts";

/** `POST .../deployments/{deploymentName}/snapshots/{snapshotId}/hold`: Telamon's own. */
export const holdGroupDeploymentSnapshot = defineOperation({
  operationId: "holdGroupDeploymentSnapshot",
  tag: "Snapshot Care",
  summary: "Hold one snapshot: it neither expires nor can be deleted",
  description:
    "Who held it, when and why is kept with the snapshot, in the store too. Needs Project Owner or Backup Manager.",
  method: "POST",
  route: `${deploymentRoute}/snapshots/{snapshotId}/hold`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName, snapshotId }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        { reason: Type.String({ minLength: 1, maxLength: 1000, description: "Why it must stay, for people." }) },
        { additionalProperties: false },
      ),
      response: DeploymentSnapshot,
      status: 200,
      handler: async ({ path, body, actor, href }, { snapshotCare }) =>
        presentDeploymentSnapshot(
          await snapshotCare.hold(path.groupId, path.deploymentName, path.snapshotId, {
            by: actor.publicName,
            reason: body.reason,
          }),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
