import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";
import { presentServerlessBackupRestoreJob, ServerlessBackupRestoreJob } from "./serverless-backup-restore-job.ts";

/** `GET .../serverless/{clusterName}/backup/restoreJobs`: restores of one instance's snapshots, newest first. */
export const listGroupServerlessBackupRestoreJobs = defineListOperation({
  operationId: "listGroupServerlessBackupRestoreJobs",
  otherNames: ["listServerlessBackupRestoreJobs", "listServerlessRestoreJobs"],
  tag: "Cloud Backups",
  summary: "Return all restore jobs of one serverless instance",
  description: "Newest first. Needs Project Owner or Backup Manager.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{clusterName}/backup/restoreJobs",
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName: instanceName }),
  versions: {
    "2023-01-01": {
      response: ServerlessBackupRestoreJob,
      status: 200,
      handler: async ({ path, page, href }, { restoreJobs }) =>
        mapPage(await restoreJobs.list(path.groupId, path.clusterName, page), (job) =>
          presentServerlessBackupRestoreJob(job, path.groupId, path.clusterName, href),
        ),
    },
  },
});
