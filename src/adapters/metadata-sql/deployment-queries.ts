import { sql } from "kysely";
import type { BackupPolicy } from "../../ports/metadata/backup-policy.ts";
import type {
  DeploymentChanges,
  DeploymentKind,
  DeploymentRecord,
  DeploymentRecords,
} from "../../ports/metadata/deployment-records.ts";
import { MetadataConflict, type Tag } from "../../ports/metadata/project-records.ts";
import { pageOffset } from "../../shared/page.ts";
import { atomically, type Connections } from "./connections.ts";
import { pageOf } from "./paging.ts";
import { prepared } from "./prepared-query.ts";
import { flag, listFrom, listText, optional, wrote } from "./row-values.ts";
import type { DeploymentRow } from "./schema.ts";
import type { Insertable, Selectable, Updateable } from "kysely";

const findById = prepared<{ id: string }>()((database, value) =>
  database.selectFrom("deployments").selectAll().where("id", "=", value("id")),
);

const findByName = prepared<{ projectId: string; name: string }>()((database, value) =>
  database
    .selectFrom("deployments")
    .selectAll()
    .where("project_id", "=", value("projectId"))
    .where("name", "=", value("name")),
);

const countOfProject = prepared<{ projectId: string; kind: DeploymentKind }>()((database, value) =>
  database
    .selectFrom("deployments")
    .select((builder) => builder.fn.countAll<number>().as("total"))
    .where("project_id", "=", value("projectId"))
    .where("kind", "=", value("kind")),
);

const namesOfProject = prepared<{ projectId: string }>()((database, value) =>
  database.selectFrom("deployments").select("name").where("project_id", "=", value("projectId")).orderBy("position"),
);

const pageOfProject = prepared<{ projectId: string; kind: DeploymentKind; limit: number; offset: number }>()(
  (database, value) =>
    database
      .selectFrom("deployments")
      .selectAll()
      .where("project_id", "=", value("projectId"))
      .where("kind", "=", value("kind"))
      .orderBy("position")
      .limit(value("limit"))
      .offset(value("offset")),
);

const due = prepared<{ nowMs: number; limit: number }>()((database, value) =>
  database
    .selectFrom("deployments")
    .selectAll()
    // Literals, so that the partial index is seen to cover the query.
    .where("state", "=", sql.lit("IDLE"))
    .where("next_snapshot_at_ms", "<=", value("nowMs"))
    .orderBy("next_snapshot_at_ms")
    .limit(value("limit")),
);

export function deploymentRecords(connections: Connections): DeploymentRecords {
  const { read, write } = connections;
  const count = async (projectId: string, kind: DeploymentKind): Promise<number> =>
    Number((await countOfProject(read, { projectId, kind })).rows[0]?.total ?? 0);
  return {
    insert: async (deployment) => {
      const result = await write
        .insertInto("deployments")
        .values(fromDeployment(deployment))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (!wrote(result)) {
        throw new MetadataConflict(`The project has a deployment named ${deployment.name}.`);
      }
    },
    find: async (id) => {
      const row = (await findById(read, { id })).rows[0];
      return row === undefined ? undefined : toDeployment(row);
    },
    findByName: async (projectId, name) => {
      const row = (await findByName(read, { projectId, name })).rows[0];
      return row === undefined ? undefined : toDeployment(row);
    },
    page: async (projectId, kind, page) => {
      const limits = { projectId, kind, limit: page.itemsPerPage + 1, offset: pageOffset(page) };
      const { rows } = await pageOfProject(read, limits);
      return pageOf(rows, page, page.includeCount ? await count(projectId, kind) : 0, toDeployment);
    },
    names: async (projectId) => (await namesOfProject(read, { projectId })).rows.map(({ name }) => name),
    count,
    all: async () => {
      const rows = await read
        .selectFrom("deployments")
        .selectAll()
        .where("state", "<>", "DELETING")
        .orderBy("position")
        .execute();
      return rows.map(toDeployment);
    },
    dueForSnapshot: async (nowMs, limit) => (await due(read, { nowMs, limit })).rows.map(toDeployment),
    update: async (id, changes) => {
      const columns = changedColumns(changes);
      if (Object.keys(columns).length === 0) return;
      await write.updateTable("deployments").set(columns).where("id", "=", id).execute();
    },
    delete: (id) =>
      atomically(connections, async (transaction) => {
        await transaction
          .insertInto("deleted_snapshots")
          .columns(["id"])
          .expression((builder) => builder.selectFrom("snapshots").select("id").where("deployment_id", "=", id))
          .execute();
        for (const table of [
          "restore_jobs",
          "snapshots",
          "snapshot_buckets",
          "snapshot_counters",
          "external_sources",
        ] as const) {
          await transaction.deleteFrom(table).where("deployment_id", "=", id).execute();
        }
        await transaction.deleteFrom("deployments").where("id", "=", id).execute();
      }),
  };
}

function changedColumns(changes: DeploymentChanges): Updateable<DeploymentRow> {
  return {
    ...(changes.state !== undefined && { state: changes.state }),
    ...(changes.continuousBackupEnabled !== undefined && {
      continuous_backup_enabled: flag(changes.continuousBackupEnabled),
    }),
    ...(changes.terminationProtectionEnabled !== undefined && {
      termination_protection_enabled: flag(changes.terminationProtectionEnabled),
    }),
    ...("tags" in changes && { tags: listText(changes.tags) }),
    ...("port" in changes && { port: changes.port ?? null }),
    ...(changes.generation !== undefined && { generation: changes.generation }),
    ...(changes.nextSnapshotAtMs !== undefined && { next_snapshot_at_ms: changes.nextSnapshotAtMs }),
    ...("backupPolicy" in changes && { backup_policy: policyText(changes.backupPolicy) }),
    ...(changes.owedPolicyItemIds !== undefined && { owed_policy_item_ids: owedText(changes.owedPolicyItemIds) }),
  };
}

function fromDeployment(deployment: DeploymentRecord): Insertable<DeploymentRow> {
  return {
    id: deployment.id,
    project_id: deployment.projectId,
    kind: deployment.kind,
    name: deployment.name,
    state: deployment.state,
    created_at_ms: deployment.createdAtMs,
    backing_provider_name: deployment.backingProviderName,
    region_name: deployment.regionName,
    continuous_backup_enabled: flag(deployment.continuousBackupEnabled),
    termination_protection_enabled: flag(deployment.terminationProtectionEnabled),
    tags: listText(deployment.tags),
    port: deployment.port ?? null,
    generation: deployment.generation,
    next_snapshot_at_ms: deployment.nextSnapshotAtMs,
    backup_policy: policyText(deployment.backupPolicy),
    owed_policy_item_ids: owedText(deployment.owedPolicyItemIds),
  };
}

function policyText(policy: BackupPolicy | undefined): string | null {
  return policy === undefined ? null : JSON.stringify(policy);
}

/** Most deployments owe nothing. */
function owedText(itemIds: readonly string[]): string | null {
  return itemIds.length === 0 ? null : JSON.stringify(itemIds);
}

function toDeployment(row: Selectable<DeploymentRow>): DeploymentRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    kind: row.kind,
    name: row.name,
    state: row.state,
    createdAtMs: row.created_at_ms,
    backingProviderName: row.backing_provider_name,
    regionName: row.region_name,
    continuousBackupEnabled: row.continuous_backup_enabled === 1,
    terminationProtectionEnabled: row.termination_protection_enabled === 1,
    tags: listFrom<Tag>(row.tags),
    port: optional(row.port),
    generation: row.generation,
    nextSnapshotAtMs: row.next_snapshot_at_ms,
    backupPolicy: row.backup_policy === null ? undefined : (JSON.parse(row.backup_policy) as BackupPolicy),
    owedPolicyItemIds: listFrom<string>(row.owed_policy_item_ids) ?? [],
  };
}
