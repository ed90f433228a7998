import { Type } from "typebox";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";
import { presentServerlessBackupSnapshot, ServerlessBackupSnapshot } from "./serverless-backup-snapshot.ts";

/** `GET .../serverless/{clusterName}/backup/snapshots`: every snapshot of one serverless instance, newest first. */
export const listGroupServerlessBackupSnapshots = defineListOperation({
  operationId: "listGroupServerlessBackupSnapshots",
  otherNames: ["listServerlessBackups", "listServerlessBackupSnapshots"],
  tag: "Cloud Backups",
  summary: "Return all snapshots of one serverless instance",
  description: "Newest first. Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/snapshots",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName }),
  versions: {
    "2023-01-01": {
      response: ServerlessBackupSnapshot,
      status: 200,
      handler: async ({ path, page, href }, { snapshots }) =>
        mapPage(await snapshots.list(path.groupId, path.clusterName, page), (snapshot) =>
          presentServerlessBackupSnapshot(snapshot, path.groupId, path.clusterName, href),
        ),
    },
  },
});
