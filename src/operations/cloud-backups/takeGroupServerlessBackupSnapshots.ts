import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";
import { presentServerlessBackupSnapshot, ServerlessBackupSnapshot } from "./serverless-backup-snapshot.ts";

/** `POST .../serverless/{clusterName}/backup/snapshots`: Telamon's own; the body is that of the dedicated clusters' operation. */
export const takeGroupServerlessBackupSnapshots = defineOperation({
  operationId: "takeGroupServerlessBackupSnapshots",
  tag: "Cloud Backups",
  summary: "Take one snapshot of one serverless instance now",
  description:
    "The vendor's API has no on-demand snapshot for serverless instances. One at a time for each instance. Needs Project Owner, Cluster Manager or Backup Manager.",
  method: "POST",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/snapshots",
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_CLUSTER_MANAGER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          description: Type.Optional(Type.String({ maxLength: 1000, description: "What the snapshot is for." })),
          links: Type.Optional(
            Type.Array(Type.Unknown(), { description: "Ignored; clients send back what they were shown." }),
          ),
          retentionInDays: Type.Integer({
            minimum: 1,
            maximum: 3650,
            description: "Days from completion for which it is kept.",
          }),
        },
        { additionalProperties: false },
      ),
      response: ServerlessBackupSnapshot,
      status: 200,
      handler: async ({ path, body, href }, { snapshots }) =>
        presentServerlessBackupSnapshot(
          await snapshots.take(path.groupId, path.clusterName, {
            description: body.description,
            retentionInDays: body.retentionInDays,
          }),
          path.groupId,
          path.clusterName,
          href,
        ),
    },
  },
});
