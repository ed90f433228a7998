import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";
import { presentServerlessBackupRestoreJob, ServerlessBackupRestoreJob } from "./serverless-backup-restore-job.ts";

/** `POST .../serverless/{clusterName}/backup/restoreJobs`: puts a snapshot's data in place of all that the target holds. */
export const createGroupServerlessBackupRestoreJob = defineOperation({
  operationId: "createGroupServerlessBackupRestoreJob",
  otherNames: ["createServerlessBackupRestoreJob", "createServerlessRestoreJob"],
  tag: "Cloud Backups",
  summary: "Restore one snapshot of one serverless instance",
  description:
    "Replaces everything in the target, at one instant, after the restored data was read back and found equal to the snapshot. Only `automated` is built. Needs Project Owner or Backup Manager here and on the target's project.",
  method: "POST",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/restoreJobs",
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          deliveryType: Type.Union([Type.Literal("automated"), Type.Literal("download"), Type.Literal("pointInTime")]),
          links: Type.Optional(Type.Array(Type.Unknown())),
          oplogInc: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
          oplogTs: Type.Optional(Type.Integer({ minimum: 1_199_145_600, maximum: 2_147_483_647 })),
          pointInTimeUTCSeconds: Type.Optional(Type.Integer({ minimum: 1_199_145_600, maximum: 2_147_483_647 })),
          snapshotId: Type.Optional(Type.String({ maxLength: 64 })),
          targetClusterName: Type.String({
            maxLength: 64,
            description: "Name of the instance whose data is replaced.",
          }),
          targetGroupId: Type.String({ maxLength: 64, description: "Project of that instance." }),
        },
        { additionalProperties: false },
      ),
      response: ServerlessBackupRestoreJob,
      status: 200,
      handler: async ({ path, body, actor, href }, { restoreJobs, access }) =>
        presentServerlessBackupRestoreJob(
          await restoreJobs.create(
            path.groupId,
            path.clusterName,
            {
              deliveryType: body.deliveryType,
              snapshotId: body.snapshotId,
              targetProjectId: body.targetGroupId,
              targetName: body.targetClusterName,
            },
            (projectId) => access.mayRestoreTo(actor, projectId),
          ),
          path.groupId,
          path.clusterName,
          href,
        ),
    },
  },
});
