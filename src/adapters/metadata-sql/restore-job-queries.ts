import { sql, type Insertable, type Selectable } from "kysely";
import { MetadataConflict } from "../../ports/metadata/project-records.ts";
import type { RestoreJobRecord, RestoreJobRecords } from "../../ports/metadata/restore-job-records.ts";
import { pageOffset } from "../../shared/page.ts";
import type { Connections } from "./connections.ts";
import { pageOf } from "./paging.ts";
import { flag, optional, wrote } from "./row-values.ts";
import type { RestoreJobRow } from "./schema.ts";

const unfinished = sql<boolean>`finished_at_ms IS NULL`;

export function restoreJobRecords({ read, write }: Connections): RestoreJobRecords {
  return {
    insert: async (job) => {
      const result = await write
        .insertInto("restore_jobs")
        .values(fromRestoreJob(job))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (!wrote(result)) throw new MetadataConflict(`A restore to ${job.targetName} is not finished.`);
    },
    find: async (deploymentId, id) => {
      const row = await read
        .selectFrom("restore_jobs")
        .selectAll()
        .where("id", "=", id)
        .where("deployment_id", "=", deploymentId)
        .executeTakeFirst();
      return row === undefined ? undefined : toRestoreJob(row);
    },
    page: async (deploymentId, page) => {
      const rows = await read
        .selectFrom("restore_jobs")
        .selectAll()
        .where("deployment_id", "=", deploymentId)
        .orderBy("position", "desc")
        .limit(page.itemsPerPage + 1)
        .offset(pageOffset(page))
        .execute();
      let totalCount = 0;
      if (page.includeCount) {
        const row = await read
          .selectFrom("restore_jobs")
          .select((builder) => builder.fn.countAll<number>().as("total"))
          .where("deployment_id", "=", deploymentId)
          .executeTakeFirstOrThrow();
        totalCount = Number(row.total);
      }
      return pageOf(rows, page, totalCount, toRestoreJob);
    },
    findUnfinishedFor: async (targetDeploymentId) => {
      const row = await read
        .selectFrom("restore_jobs")
        .selectAll()
        .where("target_deployment_id", "=", targetDeploymentId)
        .where(unfinished)
        .executeTakeFirst();
      return row === undefined ? undefined : toRestoreJob(row);
    },
    unfinishedNeeds: async (snapshotId) => {
      const rows = await read
        .selectFrom("restore_jobs")
        .select("id")
        .where("snapshot_id", "=", snapshotId)
        .where(unfinished)
        .limit(1)
        .execute();
      return rows.length > 0;
    },
    update: async (id, changes) => {
      const columns = {
        ...("finishedAtMs" in changes && { finished_at_ms: changes.finishedAtMs ?? null }),
        ...(changes.failed !== undefined && { failed: flag(changes.failed) }),
        ...("failureReason" in changes && { failure_reason: changes.failureReason ?? null }),
        ...(changes.publishing !== undefined && { publishing: flag(changes.publishing) }),
      };
      if (Object.keys(columns).length === 0) return;
      await write.updateTable("restore_jobs").set(columns).where("id", "=", id).execute();
    },
  };
}

function fromRestoreJob(job: RestoreJobRecord): Insertable<RestoreJobRow> {
  return {
    id: job.id,
    deployment_id: job.deploymentId,
    snapshot_id: job.snapshotId,
    delivery_type: job.deliveryType,
    target_project_id: job.targetProjectId,
    target_deployment_id: job.targetDeploymentId,
    target_name: job.targetName,
    requested_at_ms: job.requestedAtMs,
    snapshot_created_at_ms: job.snapshotCreatedAtMs,
    finished_at_ms: job.finishedAtMs ?? null,
    failed: flag(job.failed),
    failure_reason: job.failureReason ?? null,
    replaces_existing: flag(job.replacesExisting),
    publishing: flag(job.publishing),
  };
}

function toRestoreJob(row: Selectable<RestoreJobRow>): RestoreJobRecord {
  return {
    id: row.id,
    deploymentId: row.deployment_id,
    snapshotId: row.snapshot_id,
    deliveryType: row.delivery_type,
    targetProjectId: row.target_project_id,
    targetDeploymentId: row.target_deployment_id,
    targetName: row.target_name,
    requestedAtMs: row.requested_at_ms,
    snapshotCreatedAtMs: row.snapshot_created_at_ms,
    finishedAtMs: optional(row.finished_at_ms),
    failed: row.failed === 1,
    failureReason: optional(row.failure_reason),
    replacesExisting: row.replaces_existing === 1,
    publishing: row.publishing === 1,
  };
}
