import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName, restoreJobId } from "../parameters.ts";
import { presentServerlessBackupRestoreJob, ServerlessBackupRestoreJob } from "./serverless-backup-restore-job.ts";

/** `GET .../serverless/{clusterName}/backup/restoreJobs/{restoreJobId}`. */
export const getGroupServerlessBackupRestoreJob = defineOperation({
  operationId: "getGroupServerlessBackupRestoreJob",
  otherNames: ["getServerlessBackupRestoreJob", "getServerlessRestoreJob"],
  tag: "Cloud Backups",
  summary: "Return one restore job of one serverless instance",
  description:
    "`finishedAt` says it went well, `failed` that it did not and the target is as it was. Needs Project Owner or Backup Manager.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/restoreJobs/{restoreJobId}",
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName, restoreJobId }),
  versions: {
    "2023-01-01": {
      response: ServerlessBackupRestoreJob,
      status: 200,
      handler: async ({ path, href }, { restoreJobs }) =>
        presentServerlessBackupRestoreJob(
          await restoreJobs.get(path.groupId, path.clusterName, path.restoreJobId),
          path.groupId,
          path.clusterName,
          href,
        ),
    },
  },
});
