import { sql, type Kysely } from "kysely";
import { MetadataConflict } from "../../ports/metadata/project-records.ts";
import type { SnapshotRecord, SnapshotRecords } from "../../ports/metadata/snapshot-records.ts";
import { pageOffset } from "../../shared/page.ts";
import { atomically, type Connections } from "./connections.ts";
import { pageOf } from "./paging.ts";
import { prepared } from "./prepared-query.ts";
import { optional } from "./row-values.ts";
import type { Schema, SnapshotRow } from "./schema.ts";
import { adjustPositions, snapshotsFromOffset } from "./snapshot-positions.ts";
import { changedColumns, columns, fromSnapshot, toSnapshot } from "./snapshot-rows.ts";

type NewSnapshot = Omit<SnapshotRecord, "sequence">;

// Statuses and types are literals in the queries below: an index over some rows is used only when the text of the query shows that it covers them.
const unfinished = sql<boolean>`status IN ('queued', 'inProgress')`;
const ended = sql<boolean>`status IN ('completed', 'failed')`;

/** Completed snapshots of the same deployment that came later and did not fail their last trial; none is asked to stay among more than a hundred. */
const newerGood = sql<number>`(SELECT COUNT(*) FROM (
  SELECT 1 FROM snapshots AS newer
  WHERE newer.deployment_id = snapshots.deployment_id AND newer.sequence > snapshots.sequence
    AND newer.status = 'completed' AND newer.drill_failure_reason IS NULL
  LIMIT 100) AS good)`;

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
        .where("held_at_ms", "is", null)
        .where(({ or, eb }) => or([eb("status", "=", sql.lit("failed")), eb(newerGood, ">=", eb.ref("newest_kept"))]))
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
    anyHeld: async (deploymentId) => {
      const row = await read
        .selectFrom("snapshots")
        .select("deployment_id")
        .where("deployment_id", "=", deploymentId)
        // A range, so that the index of what is held is taken and not the table's own order.
        .where("held_at_ms", ">", 0)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },
    lastDrills: async () => {
      const rows = await read
        .selectFrom("snapshots")
        .select(({ fn }) => [
          "deployment_id",
          fn.max("proven_at_ms").as("proven_at_ms"),
          fn.max("drilled_at_ms").as("drilled_at_ms"),
        ])
        .where("drilled_at_ms", "is not", null)
        .groupBy("deployment_id")
        .execute();
      return new Map(
        rows.map((row) => [
          row.deployment_id,
          { provenAtMs: optional(row.proven_at_ms), drilledAtMs: row.drilled_at_ms ?? 0 },
        ]),
      );
    },
    catalogueDue: async (limit) => {
      const rows = await read
        .selectFrom("snapshots")
        .selectAll()
        .where("catalogue_due", "=", sql.lit(1))
        .where("status", "=", "completed")
        .limit(limit)
        .execute();
      return rows.map(toSnapshot);
    },
    scheduledAfter: async (deploymentId, sequence, limit) => {
      const rows = await read
        .selectFrom("snapshots")
        .selectAll()
        .where("deployment_id", "=", deploymentId)
        .where("sequence", ">", sequence)
        .where("status", "=", "completed")
        .where("snapshot_type", "=", "scheduled")
        .orderBy("sequence")
        .limit(limit)
        .execute();
      return rows.map(toSnapshot);
    },
    completedBefore: async (deploymentId, sequence, limit) => {
      const rows = await read
        .selectFrom("snapshots")
        .selectAll()
        .where("deployment_id", "=", deploymentId)
        .where("sequence", "<", sequence ?? Number.MAX_SAFE_INTEGER)
        .where("status", "=", sql.lit("completed"))
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map(toSnapshot);
    },
    careCounts: async () => {
      const held = await read
        .selectFrom("snapshots")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("held_at_ms", "is not", null)
        .executeTakeFirstOrThrow();
      const drilled = await read
        .selectFrom("snapshots")
        .select(({ fn }) => [
          fn.count<number>("proven_at_ms").as("proven"),
          fn.count<number>("drill_failure_reason").as("failed"),
        ])
        .where("drilled_at_ms", "is not", null)
        .executeTakeFirstOrThrow();
      return { held: Number(held.count), proven: Number(drilled.proven), drillFailed: Number(drilled.failed) };
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
