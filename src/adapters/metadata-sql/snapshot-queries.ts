import { sql, type Kysely, type Updateable } from "kysely";
import { MetadataConflict } from "../../ports/metadata/project-records.ts";
import type { SnapshotChanges, SnapshotRecord, SnapshotRecords } from "../../ports/metadata/snapshot-records.ts";
import { pageOffset } from "../../shared/page.ts";
import { atomically, type Connections } from "./connections.ts";
import { pageOf } from "./paging.ts";
import { prepared } from "./prepared-query.ts";
import { flag, optional } from "./row-values.ts";
import type { Schema, SnapshotRow } from "./schema.ts";
import { adjustPositions, snapshotsFromOffset } from "./snapshot-positions.ts";

type NewSnapshot = Omit<SnapshotRecord, "sequence">;

// Statuses and types are literals in the queries below: an index over some rows is used only when the text of the query shows that it covers them.
const unfinished = sql<boolean>`status IN ('queued', 'inProgress')`;
const ended = sql<boolean>`status IN ('completed', 'failed')`;

const findSnapshot = prepared<{ deploymentId: string; id: string }>()((database, value) =>
  database
    .selectFrom("snapshots")
    .selectAll()
    .where("id", "=", value("id"))
    .where("deployment_id", "=", value("deploymentId")),
);

const insertRow = prepared<SnapshotRow>()((database, value) =>
  database
    .insertInto("snapshots")
    .values(Object.fromEntries(columns.map((column) => [column, value(column)])) as unknown as SnapshotRow)
    .onConflict((conflict) => conflict.doNothing()),
);

const takeSequences = prepared<{ deploymentId: string; count: number }>()((database, value) =>
  database
    .insertInto("snapshot_counters")
    .values({
      deployment_id: value("deploymentId"),
      last_sequence: value("count"),
      snapshot_count: value("count"),
    })
    .onConflict((conflict) =>
      conflict.column("deployment_id").doUpdateSet({
        last_sequence: sql<number>`snapshot_counters.last_sequence + excluded.last_sequence`,
        snapshot_count: sql<number>`snapshot_counters.snapshot_count + excluded.snapshot_count`,
      }),
    )
    .returning("last_sequence"),
);

const newestCompleted = prepared<{ deploymentId: string }>()((database, value) =>
  database
    .selectFrom("snapshots")
    .selectAll()
    .where("deployment_id", "=", value("deploymentId"))
    .where("status", "=", sql.lit("completed"))
    .orderBy("sequence", "desc")
    .limit(1),
);

const anyUnfinished = prepared<{ deploymentId: string; snapshotType: SnapshotRow["snapshot_type"] }>()(
  (database, value) =>
    database
      .selectFrom("snapshots")
      // Nothing that the index has not, or SQLite would rather walk over every snapshot of the deployment.
      .select("sequence")
      .where("deployment_id", "=", value("deploymentId"))
      .where("snapshot_type", "=", value("snapshotType"))
      .where(unfinished)
      .limit(1),
);

const newestOfFrequency = prepared<{ deploymentId: string; frequencyType: SnapshotRow["frequency_type"] }>()(
  (database, value) =>
    database
      .selectFrom("snapshots")
      .selectAll()
      .where("deployment_id", "=", value("deploymentId"))
      .where("sequence", "=", (builder) =>
        builder
          .selectFrom("snapshots as candidate")
          // As above: the index answers this alone, and only then the row is read.
          .select("candidate.sequence")
          .where("candidate.deployment_id", "=", value("deploymentId"))
          .where("candidate.frequency_type", "=", value("frequencyType"))
          .where(sql<boolean>`candidate.frequency_type IN ('daily', 'weekly', 'monthly')`)
          .where("candidate.status", "<>", sql.lit("failed"))
          .orderBy("candidate.sequence", "desc")
          .limit(1),
      ),
);

export function snapshotRecords(connections: Connections): SnapshotRecords {
  const { read, write } = connections;
  return {
    insert: (snapshot) =>
      atomically(connections, async (transaction) => {
        const [record] = await insertInOrder(transaction, snapshot.deploymentId, [snapshot]);
        if (record === undefined) throw new Error("An insert of one snapshot answered none.");
        return record;
      }),
    insertMany: (snapshots) =>
      atomically(connections, async (transaction) => {
        const ofDeployments = Map.groupBy(snapshots, (snapshot) => snapshot.deploymentId);
        for (const [deploymentId, ofOne] of ofDeployments) await insertInOrder(transaction, deploymentId, ofOne);
      }),
    find: async (deploymentId, id) => first(await findSnapshot(read, { deploymentId, id })),
    page: async (deploymentId, page) => {
      const values = { deploymentId, limit: page.itemsPerPage + 1, offset: pageOffset(page) };
      const { rows, totalCount } = await snapshotsFromOffset(read, values);
      return pageOf(rows, page, totalCount, toSnapshot);
    },
    newestCompleted: async (deploymentId) => first(await newestCompleted(read, { deploymentId })),
    hasUnfinishedOnDemand: async (deploymentId) =>
      (await anyUnfinished(read, { deploymentId, snapshotType: "onDemand" })).rows.length > 0,
    hasUnfinishedScheduled: async (deploymentId) =>
      (await anyUnfinished(read, { deploymentId, snapshotType: "scheduled" })).rows.length > 0,
    newestScheduled: async (deploymentId, frequencyType) =>
      first(await newestOfFrequency(read, { deploymentId, frequencyType })),
    update: async (id, changes) => {
      const changed = changedColumns(changes);
      if (Object.keys(changed).length === 0) return;
      await write.updateTable("snapshots").set(changed).where("id", "=", id).execute();
    },
    delete: (id) => atomically(connections, (transaction) => deleteOne(transaction, id)),
    expired: async (nowMs, limit) => {
      const rows = await read
        .selectFrom("snapshots")
        .selectAll()
        .where(ended)
        .where("expires_at_ms", "<=", nowMs)
        .where("held", "=", 0)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("restore_jobs")
                .select("restore_jobs.id")
                .whereRef("restore_jobs.snapshot_id", "=", "snapshots.id")
                .where("restore_jobs.finished_at_ms", "is", null),
            ),
          ),
        )
        .orderBy("expires_at_ms")
        .limit(limit)
        .execute();
      return rows.map(toSnapshot);
    },
    liveManifestKeys: async () => {
      const rows = await read
        .selectFrom("snapshots")
        .select("manifest_key")
        .where("status", "=", "completed")
        .where("manifest_key", "is not", null)
        .execute();
      const parents = await read
        .selectFrom("snapshots")
        .select("parent_manifest_key")
        .where(unfinished)
        .where("parent_manifest_key", "is not", null)
        .execute();
      return new Set([
        ...rows.map((row) => row.manifest_key ?? ""),
        ...parents.map((row) => row.parent_manifest_key ?? ""),
      ]);
    },
    neverKnown: async (ids) => {
      const unknown = new Set(ids);
      for (let start = 0; start < ids.length; start += 500) {
        const some = ids.slice(start, start + 500);
        for (const table of ["snapshots", "deleted_snapshots"] as const)
          for (const { id } of await read.selectFrom(table).select("id").where("id", "in", some).execute())
            unknown.delete(id);
      }
      return unknown;
    },
    lastProvenAtMs: async (deploymentId) => {
      const row = await read
        .selectFrom("snapshots")
        .select(({ fn }) => fn.max("proven_at_ms").as("at_ms"))
        .where("deployment_id", "=", deploymentId)
        .executeTakeFirst();
      return optional(row?.at_ms ?? null);
    },
    idsInProgress: async () => {
      const rows = await read
        .selectFrom("snapshots")
        .select("id")
        .where(unfinished)
        .where("status", "=", sql.lit("inProgress"))
        .execute();
      return new Set(rows.map((row) => row.id));
    },
  };
}

async function insertInOrder(
  transaction: Kysely<Schema>,
  deploymentId: string,
  snapshots: readonly NewSnapshot[],
): Promise<readonly SnapshotRecord[]> {
  if (snapshots.length === 0) return [];
  const taken = await takeSequences(transaction, { deploymentId, count: snapshots.length });
  const lastSequence = taken.rows[0]?.last_sequence;
  if (lastSequence === undefined) throw new Error("The counter of snapshots answered nothing.");
  const records: SnapshotRecord[] = [];
  for (const [index, snapshot] of snapshots.entries()) {
    const record = { ...snapshot, sequence: lastSequence - snapshots.length + 1 + index };
    const inserted = await insertRow(transaction, fromSnapshot(record));
    if (inserted.numAffectedRows === 0n) throw new MetadataConflict(`There is a snapshot with the id ${record.id}.`);
    records.push(record);
  }
  const sequences = records.map((record) => record.sequence);
  await adjustPositions(transaction, deploymentId, sequences, 1);
  return records;
}

async function deleteOne(transaction: Kysely<Schema>, id: string): Promise<void> {
  const row = await transaction
    .deleteFrom("snapshots")
    .where("id", "=", id)
    .returning(["deployment_id", "sequence"])
    .executeTakeFirst();
  if (row === undefined) return;
  await transaction
    .insertInto("deleted_snapshots")
    .values({ id })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await transaction
    .updateTable("snapshot_counters")
    .set((builder) => ({ snapshot_count: builder("snapshot_count", "-", 1) }))
    .where("deployment_id", "=", row.deployment_id)
    .execute();
  await adjustPositions(transaction, row.deployment_id, [row.sequence], -1);
}

function first(result: { readonly rows: readonly SnapshotRow[] }): SnapshotRecord | undefined {
  const row = result.rows[0];
  return row === undefined ? undefined : toSnapshot(row);
}

const columns: readonly (keyof SnapshotRow)[] = [
  "deployment_id",
  "sequence",
  "id",
  "status",
  "snapshot_type",
  "frequency_type",
  "description",
  "requested_at_ms",
  "captured_at_ms",
  "completed_at_ms",
  "expires_at_ms",
  "retention_ms",
  "storage_size_bytes",
  "added_size_bytes",
  "manifest_key",
  "server_version",
  "consistency",
  "cluster_time_seconds",
  "cluster_time_increment",
  "failure_reason",
  "parent_manifest_key",
  "held",
  "proven_at_ms",
];

function fromSnapshot(snapshot: SnapshotRecord): SnapshotRow {
  return {
    deployment_id: snapshot.deploymentId,
    sequence: snapshot.sequence,
    id: snapshot.id,
    status: snapshot.status,
    snapshot_type: snapshot.snapshotType,
    frequency_type: snapshot.frequencyType,
    description: snapshot.description ?? null,
    requested_at_ms: snapshot.requestedAtMs,
    captured_at_ms: snapshot.createdAtMs ?? null,
    completed_at_ms: snapshot.completedAtMs ?? null,
    expires_at_ms: snapshot.expiresAtMs,
    retention_ms: snapshot.retentionMs,
    storage_size_bytes: snapshot.storageSizeBytes,
    added_size_bytes: snapshot.addedSizeBytes,
    manifest_key: snapshot.manifestKey ?? null,
    server_version: snapshot.serverVersion ?? null,
    consistency: snapshot.consistency ?? null,
    cluster_time_seconds: snapshot.clusterTime?.seconds ?? null,
    cluster_time_increment: snapshot.clusterTime?.increment ?? null,
    failure_reason: snapshot.failureReason ?? null,
    parent_manifest_key: snapshot.parentManifestKey ?? null,
    held: flag(snapshot.held),
    proven_at_ms: snapshot.provenAtMs ?? null,
  };
}

/** Columns of the changes given; a field given as undefined empties its column. */
function changedColumns(changes: SnapshotChanges): Updateable<SnapshotRow> {
  return {
    ...(changes.status !== undefined && { status: changes.status }),
    ...("description" in changes && { description: changes.description ?? null }),
    ...("createdAtMs" in changes && { captured_at_ms: changes.createdAtMs ?? null }),
    ...("completedAtMs" in changes && { completed_at_ms: changes.completedAtMs ?? null }),
    ...(changes.expiresAtMs !== undefined && { expires_at_ms: changes.expiresAtMs }),
    ...(changes.retentionMs !== undefined && { retention_ms: changes.retentionMs }),
    ...(changes.storageSizeBytes !== undefined && { storage_size_bytes: changes.storageSizeBytes }),
    ...(changes.addedSizeBytes !== undefined && { added_size_bytes: changes.addedSizeBytes }),
    ...("manifestKey" in changes && { manifest_key: changes.manifestKey ?? null }),
    ...("serverVersion" in changes && { server_version: changes.serverVersion ?? null }),
    ...("consistency" in changes && { consistency: changes.consistency ?? null }),
    ...("clusterTime" in changes && {
      cluster_time_seconds: changes.clusterTime?.seconds ?? null,
      cluster_time_increment: changes.clusterTime?.increment ?? null,
    }),
    ...("failureReason" in changes && { failure_reason: changes.failureReason ?? null }),
    ...("parentManifestKey" in changes && { parent_manifest_key: changes.parentManifestKey ?? null }),
    ...(changes.held !== undefined && { held: flag(changes.held) }),
    ...("provenAtMs" in changes && { proven_at_ms: changes.provenAtMs ?? null }),
  };
}

function toSnapshot(row: SnapshotRow): SnapshotRecord {
  return {
    id: row.id,
    deploymentId: row.deployment_id,
    sequence: row.sequence,
    status: row.status,
    snapshotType: row.snapshot_type,
    frequencyType: row.frequency_type,
    description: optional(row.description),
    requestedAtMs: row.requested_at_ms,
    createdAtMs: optional(row.captured_at_ms),
    completedAtMs: optional(row.completed_at_ms),
    expiresAtMs: row.expires_at_ms,
    retentionMs: row.retention_ms,
    storageSizeBytes: row.storage_size_bytes,
    addedSizeBytes: row.added_size_bytes,
    manifestKey: optional(row.manifest_key),
    serverVersion: optional(row.server_version),
    consistency: optional(row.consistency),
    clusterTime:
      row.cluster_time_seconds === null || row.cluster_time_increment === null
        ? undefined
        : { seconds: row.cluster_time_seconds, increment: row.cluster_time_increment },
    failureReason: optional(row.failure_reason),
    parentManifestKey: optional(row.parent_manifest_key),
    held: row.held === 1,
    provenAtMs: optional(row.proven_at_ms),
  };
}
