import { type Static, Type } from "typebox";
import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import { DateTimeText, deploymentPath, type Href, Link, ObjectIdText, presentTime } from "../shapes.ts";

/** A restore of a snapshot of a deployment of any kind. */
export const DeploymentRestoreJob = Type.Object(
  {
    failureReason: Type.Optional(Type.String({ description: "Why it failed; one sentence." })),
    finishedAt: Type.Optional(DateTimeText),
    id: ObjectIdText,
    links: Type.Array(Link),
    requestedAt: DateTimeText,
    snapshotId: ObjectIdText,
    status: Type.Union([Type.Literal("inProgress"), Type.Literal("completed"), Type.Literal("failed")], {
      description: "`completed` only after what stands in the target was read back and is the snapshot.",
    }),
    targetGroupId: ObjectIdText,
    targetName: Type.String(),
  },
  { $id: "DeploymentRestoreJob" },
);

export function presentDeploymentRestoreJob(
  job: RestoreJobRecord,
  projectId: string,
  deploymentName: string,
  href: Href,
): Static<typeof DeploymentRestoreJob> {
  const deployment = deploymentPath(projectId, deploymentName);
  const { finishedAtMs, failureReason } = job;
  return {
    ...(failureReason !== undefined && { failureReason }),
    ...(finishedAtMs !== undefined && { finishedAt: presentTime(finishedAtMs) }),
    id: job.id,
    links: [
      { href: href(`${deployment}/restoreJobs/${job.id}`), rel: "self" },
      { href: href(`${deployment}/snapshots/${job.snapshotId}`), rel: "snapshot" },
    ],
    requestedAt: presentTime(job.requestedAtMs),
    snapshotId: job.snapshotId,
    status: finishedAtMs === undefined ? "inProgress" : job.failed ? "failed" : "completed",
    targetGroupId: job.targetProjectId,
    targetName: job.targetName,
  };
}
