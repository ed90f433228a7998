import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName, snapshotId } from "../parameters.ts";
import { presentServerlessBackupSnapshot, ServerlessBackupSnapshot } from "./serverless-backup-snapshot.ts";

/** `GET .../serverless/{clusterName}/backup/snapshots/{snapshotId}`. */
export const getGroupServerlessBackupSnapshot = defineOperation({
  operationId: "getGroupServerlessBackupSnapshot",
  otherNames: ["getServerlessBackup", "getServerlessBackupSnapshot"],
  tag: "Cloud Backups",
  summary: "Return one snapshot of one serverless instance",
  description: "Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/snapshots/{snapshotId}",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName, snapshotId }),
  versions: {
    "2023-01-01": {
      response: ServerlessBackupSnapshot,
      status: 200,
      handler: async ({ path, href }, { snapshots }) =>
        presentServerlessBackupSnapshot(
          await snapshots.get(path.groupId, path.clusterName, path.snapshotId),
          path.groupId,
          path.clusterName,
          href,
        ),
    },
  },
});
