import { sql, type Kysely } from "kysely";
import { prepared } from "./prepared-query.ts";
import type { Schema, SnapshotRow } from "./schema.ts";

/**
 * Where the n-th newest snapshot lies, without walking over the n before it: counts are kept for runs of 64 sequence numbers, for 64 such
 * runs, and so on. Finding any start reads at most 64 rows of each of the four levels and 64 snapshots (the top level counts 16 million a
 * row, so its rows stay few). Counts are of what is there, so deletions anywhere keep every page exact.
 */
const fanOutBits = 4;
const fanOut = 2 ** fanOutBits;
const shifts = [20, 16, 12, 8, 4] as const;

/** A snapshot with the number of all snapshots of its deployment. */
export type CountedSnapshotRow = SnapshotRow & { readonly total_count: number };

interface PageValues {
  readonly deploymentId: string;
  readonly limit: number;
  readonly offset: number;
}

/** The newest `limit` snapshots. */
export const newestSnapshots = prepared<Omit<PageValues, "offset">>()((database, value) => {
  const deploymentId = value("deploymentId");
  const query = sql<CountedSnapshotRow>`
    SELECT snapshots.*, ${totalOf(deploymentId)} AS total_count FROM snapshots
    WHERE deployment_id = ${deploymentId}
    ORDER BY sequence DESC LIMIT ${value("limit")}`;
  return { compile: () => query.compile(database) };
});

/** `limit` snapshots after the `offset` newest, in one statement and so of one moment. */
export const snapshotsFromOffset = prepared<PageValues>()((database, value) => {
  const query = pageFromOffset(value("deploymentId"), value("limit"), value("offset"));
  return { compile: () => query.compile(database) };
});

/** Adds to the counts of everything that holds these sequence numbers; `delta` is 1 for new snapshots and -1 for deleted ones. */
export async function adjustPositions(
  database: Kysely<Schema>,
  deploymentId: string,
  sequences: readonly number[],
  delta: 1 | -1,
): Promise<void> {
  for (const shift of shifts) {
    const deltas = new Map<number, number>();
    for (const sequence of sequences) {
      const bucket = Math.floor(sequence / 2 ** shift);
      deltas.set(bucket, (deltas.get(bucket) ?? 0) + delta);
    }
    for (const [bucket, change] of deltas) {
      await adjustBucket(database, { deploymentId, shift, bucket, change });
      if (delta < 0) await removeEmptyBucket(database, { deploymentId, shift, bucket });
    }
  }
}

const adjustBucket = prepared<{ deploymentId: string; shift: number; bucket: number; change: number }>()(
  (database, value) =>
    database
      .insertInto("snapshot_buckets")
      .values({
        deployment_id: value("deploymentId"),
        shift: value("shift"),
        bucket: value("bucket"),
        snapshot_count: value("change"),
      })
      .onConflict((conflict) =>
        conflict.columns(["deployment_id", "shift", "bucket"]).doUpdateSet({
          snapshot_count: sql<number>`snapshot_buckets.snapshot_count + excluded.snapshot_count`,
        }),
      ),
);

const removeEmptyBucket = prepared<{ deploymentId: string; shift: number; bucket: number }>()((database, value) =>
  database
    .deleteFrom("snapshot_buckets")
    .where("deployment_id", "=", value("deploymentId"))
    .where("shift", "=", value("shift"))
    .where("bucket", "=", value("bucket"))
    .where("snapshot_count", "=", 0),
);

function totalOf(deploymentId: string) {
  return sql<number>`(SELECT snapshot_count FROM snapshot_counters WHERE deployment_id = ${deploymentId})`;
}

function pageFromOffset(deploymentId: string, limit: number, offset: number) {
  // Each level runs through the buckets of the one picked above it, newest first, adding up (`through`), and picks the first that
  // reaches past the offset; `passed` snapshots are newer than it. CROSS JOIN keeps SQLite to this order.
  const levels = shifts.map((shift, depth) => {
    const above = shifts[depth - 1];
    const runs = sql.ref(`run${shift}`);
    const parent = above === undefined ? sql`` : sql`${sql.ref(`pick${above}`)} AS parent CROSS JOIN`;
    const passed = above === undefined ? sql`0` : sql`parent.passed`;
    const within =
      above === undefined
        ? sql``
        : sql`AND s.bucket >= parent.bucket * ${sql.lit(fanOut)} AND s.bucket < (parent.bucket + 1) * ${sql.lit(fanOut)}`;
    return sql`
      ${runs} AS (
        SELECT s.bucket, s.snapshot_count,
          ${passed} + SUM(s.snapshot_count) OVER (ORDER BY s.bucket DESC) AS through
        FROM ${parent} snapshot_buckets AS s
        WHERE s.deployment_id = ${deploymentId} AND s.shift = ${sql.lit(shift)} ${within}),
      ${sql.ref(`pick${shift}`)} AS (
        SELECT bucket, through - snapshot_count AS passed FROM ${runs}
        WHERE through > ${offset} ORDER BY bucket DESC LIMIT 1)`;
  });
  const lowest = sql.ref(`pick${shifts[shifts.length - 1] ?? fanOutBits}`);
  return sql<CountedSnapshotRow>`
    WITH ${sql.join(levels)},
      first_of_page AS (
        SELECT s.sequence FROM ${lowest} AS pick CROSS JOIN snapshots AS s
        WHERE s.deployment_id = ${deploymentId}
          AND s.sequence >= pick.bucket * ${sql.lit(fanOut)} AND s.sequence < (pick.bucket + 1) * ${sql.lit(fanOut)}
        ORDER BY s.sequence DESC
        LIMIT 1 OFFSET COALESCE(CAST(${offset} - (SELECT passed FROM ${lowest}) AS bigint), 0))
    SELECT snapshots.*, ${totalOf(deploymentId)} AS total_count FROM snapshots
    WHERE deployment_id = ${deploymentId} AND sequence <= (SELECT sequence FROM first_of_page)
    ORDER BY sequence DESC LIMIT ${limit}`;
}
