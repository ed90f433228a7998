import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName, snapshotId } from "../parameters.ts";

/** `DELETE .../serverless/{clusterName}/backup/snapshots/{snapshotId}`: Telamon's own. */
export const deleteGroupServerlessBackupSnapshot = defineOperation({
  operationId: "deleteGroupServerlessBackupSnapshot",
  tag: "Cloud Backups",
  summary: "Remove one snapshot of one serverless instance",
  description:
    "The vendor's API cannot delete snapshots of serverless instances. Not while it is being taken or a restore needs it. Needs Project Owner or Backup Manager.",
  method: "DELETE",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/snapshots/{snapshotId}",
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: undefined,
      status: 204,
      handler: async ({ path }, { snapshots }) => snapshots.delete(path.groupId, path.clusterName, path.snapshotId),
    },
  },
});
