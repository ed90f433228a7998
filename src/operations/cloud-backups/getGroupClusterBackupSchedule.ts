import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { clusterName, groupId } from "../parameters.ts";
import { DiskBackupSnapshotSchedule, presentSchedule, scheduleVersions } from "./disk-backup-snapshot-schedule.ts";

/** `GET .../clusters/{clusterName}/backup/schedule`. */
export const getGroupClusterBackupSchedule = defineOperation({
  operationId: "getGroupClusterBackupSchedule",
  otherNames: ["getBackupSchedule"],
  tag: "Cloud Backups",
  summary: "Return one cloud backup schedule",
  description:
    "Of a deployment that runs elsewhere, which stands for a cluster here; serverless instances have none in this API. Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, clusterName }),
  versions: scheduleVersions({
    response: DiskBackupSnapshotSchedule,
    status: 200,
    handler: async ({ path, href }, { clusterBackupSchedules }) =>
      presentSchedule(await clusterBackupSchedules.get(path.groupId, path.clusterName), href),
  }),
});
