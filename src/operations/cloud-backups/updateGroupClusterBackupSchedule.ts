import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { clusterName, groupId } from "../parameters.ts";
import {
  DiskBackupSnapshotSchedule,
  DiskBackupSnapshotScheduleUpdate,
  parseScheduleUpdate,
  presentSchedule,
  scheduleVersions,
} from "./disk-backup-snapshot-schedule.ts";

/** `PATCH .../clusters/{clusterName}/backup/schedule`. */
export const updateGroupClusterBackupSchedule = defineOperation({
  operationId: "updateGroupClusterBackupSchedule",
  otherNames: ["updateBackupSchedule"],
  tag: "Cloud Backups",
  summary: "Update cloud backup schedule for one cluster",
  description: "What is left out stays. Copies and exports are refused with 501. Needs Project Backup Manager.",
  method: "PATCH",
  route: "/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName }),
  versions: scheduleVersions({
    request: DiskBackupSnapshotScheduleUpdate,
    response: DiskBackupSnapshotSchedule,
    status: 200,
    handler: async ({ path, body, href }, { clusterBackupSchedules }) =>
      presentSchedule(
        await clusterBackupSchedules.update(path.groupId, path.clusterName, parseScheduleUpdate(body)),
        href,
      ),
  }),
});
