import { type Static, Type } from "typebox";
import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import {
  DateTimeText,
  type Href,
  Link,
  ObjectIdText,
  presentTime,
  relation,
  serverlessInstancePath,
} from "../shapes.ts";

/** A restore of a serverless instance's snapshot as the API shows it. There is no status: clients look at `finishedAt` and the three flags. */
export const ServerlessBackupRestoreJob = Type.Object(
  {
    cancelled: Type.Boolean(),
    deliveryType: Type.String({ examples: ["automated"] }),
    deliveryUrl: Type.Array(Type.String()),
    expired: Type.Boolean(),
    failed: Type.Boolean(),
    finishedAt: Type.Optional(DateTimeText),
    id: ObjectIdText,
    links: Type.Array(Link),
    snapshotId: ObjectIdText,
    targetClusterName: Type.String(),
    targetGroupId: ObjectIdText,
    timestamp: Type.Unsafe<string>({ ...DateTimeText, description: "When the snapshot's data was captured." }),
  },
  { $id: "ServerlessBackupRestoreJob" },
);

/** The record as the API shows it. */
export function presentServerlessBackupRestoreJob(
  job: RestoreJobRecord,
  projectId: string,
  instanceName: string,
  href: Href,
): Static<typeof ServerlessBackupRestoreJob> {
  const instance = serverlessInstancePath(projectId, instanceName);
  return {
    cancelled: false,
    deliveryType: job.deliveryType,
    deliveryUrl: [],
    expired: false,
    failed: job.failed,
    ...(job.finishedAtMs === undefined || job.failed ? {} : { finishedAt: presentTime(job.finishedAtMs) }),
    id: job.id,
    links: [
      { href: href(`${instance}/backup/restoreJobs/${job.id}`), rel: "self" },
      { href: href(`${instance}/backup/snapshots/${job.snapshotId}`), rel: relation("snapshot") },
      { href: href(instance), rel: relation("cluster") },
      { href: href(`/api/atlas/v2/groups/${projectId}`), rel: relation("group") },
    ],
    snapshotId: job.snapshotId,
    targetClusterName: job.targetName,
    targetGroupId: job.targetProjectId,
    timestamp: presentTime(job.snapshotCreatedAtMs),
  };
}
