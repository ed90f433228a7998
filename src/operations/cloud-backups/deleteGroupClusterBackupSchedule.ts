import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { clusterName, groupId } from "../parameters.ts";
import { DiskBackupSnapshotSchedule, presentSchedule, scheduleVersions } from "./disk-backup-snapshot-schedule.ts";

/** `DELETE .../clusters/{clusterName}/backup/schedule`. */
export const deleteGroupClusterBackupSchedule = defineOperation({
  operationId: "deleteGroupClusterBackupSchedule",
  otherNames: ["deleteAllBackupSchedules", "deleteClusterBackupSchedule"],
  tag: "Cloud Backups",
  summary: "Remove all cloud backup schedules",
  description: "No scheduled snapshot is taken any more; those that were taken stay. Needs Project Backup Manager.",
  method: "DELETE",
  route: "/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName }),
  versions: scheduleVersions({
    response: DiskBackupSnapshotSchedule,
    status: 200,
    handler: async ({ path, href }, { clusterBackupSchedules }) =>
      presentSchedule(await clusterBackupSchedules.clear(path.groupId, path.clusterName), href),
  }),
});
