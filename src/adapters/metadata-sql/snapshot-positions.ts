import { sql, type Kysely } from "kysely";
import { prepared } from "./prepared-query.ts";
import type { Schema, SnapshotRow } from "./schema.ts";

/**
 * Where the n-th newest snapshot lies, without walking over the n before it: counts are kept for runs of 16 sequence numbers, for 16 such
 * runs, and so on. Finding any start reads at most 16 rows of each of the five levels and 16 snapshots (the top level counts a million a
 * row, so its rows stay few). Counts are of what is there, so deletions anywhere keep every page exact.
 */
const fanOutBits = 4;
const fanOut = 2 ** fanOutBits;
const shifts = [20, 16, 12, 8, 4] as const;

/** Snapshots of one moment, with the number of all of their deployment at that moment. */
export interface CountedSnapshots {
  readonly rows: readonly SnapshotRow[];
  readonly totalCount: number;
}

interface PageValues {
  readonly deploymentId: string;
  readonly limit: number;
  readonly offset: number;
}

/** The newest `limit` snapshots after the `offset` newest. */
export async function snapshotsFromOffset(database: Kysely<Schema>, page: PageValues): Promise<CountedSnapshots> {
  const { deploymentId, limit, offset } = page;
  if (offset === 0) {
    const { rows } = await newestSnapshots(database, { deploymentId, limit });
    return { rows, totalCount: rows[0]?.total_count ?? 0 };
  }
  let answer: CountedSnapshots = { rows: [], totalCount: 0 };
  for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
    const before = (await findCounter(database, { deploymentId })).rows[0];
    if (before === undefined || offset >= before.snapshot_count) {
      return { rows: [], totalCount: before?.snapshot_count ?? 0 };
    }
    const sequence = await sequenceAt(database, deploymentId, offset);
    const rows = sequence === undefined ? [] : (await snapshotsFrom(database, { deploymentId, sequence, limit })).rows;
    const [after] = rows;
    answer = { rows, totalCount: before.snapshot_count };
    if (after?.total_count === before.snapshot_count && after.last_sequence === before.last_sequence) break;
  }
  return answer;
}

/**
 * A start is found in several steps. An insert moves the last number and a deletion the count, so when both are what they were, nothing came
 * between; otherwise the search, of less than a tenth of a millisecond, is made again. A writer that does nothing but write comes between
 * about every second time; so many times in a row it does not.
 */
const maximumAttempts = 100;

type CountedSnapshotRow = SnapshotRow & { readonly total_count: number; readonly last_sequence: number };

export const newestSnapshots = prepared<{ deploymentId: string; limit: number }>()((database, value) =>
  countedSnapshots(database, value("deploymentId")).limit(value("limit")),
);

export const snapshotsFrom = prepared<{ deploymentId: string; sequence: number; limit: number }>()((database, value) =>
  countedSnapshots(database, value("deploymentId")).where("sequence", "<=", value("sequence")).limit(value("limit")),
);

export const findCounter = prepared<{ deploymentId: string }>()((database, value) =>
  database.selectFrom("snapshot_counters").selectAll().where("deployment_id", "=", value("deploymentId")),
);

export const bucketsBetween = prepared<{ deploymentId: string; shift: number; first: number; end: number }>()(
  (database, value) =>
    database
      .selectFrom("snapshot_buckets")
      .select(["bucket", "snapshot_count"])
      .where("deployment_id", "=", value("deploymentId"))
      .where("shift", "=", value("shift"))
      .where("bucket", ">=", value("first"))
      .where("bucket", "<", value("end"))
      .orderBy("bucket", "desc"),
);

export const sequencesBetween = prepared<{ deploymentId: string; first: number; end: number }>()((database, value) =>
  database
    .selectFrom("snapshots")
    .select("sequence")
    .where("deployment_id", "=", value("deploymentId"))
    .where("sequence", ">=", value("first"))
    .where("sequence", "<", value("end"))
    .orderBy("sequence", "desc"),
);

function countedSnapshots(database: Kysely<Schema>, deploymentId: string) {
  const counted = (column: "snapshot_count" | "last_sequence") =>
    sql<number>`(SELECT ${sql.ref(column)} FROM snapshot_counters WHERE deployment_id = ${deploymentId})`;
  return database
    .selectFrom("snapshots")
    .selectAll()
    .select([counted("snapshot_count").as("total_count"), counted("last_sequence").as("last_sequence")])
    .where("deployment_id", "=", deploymentId)
    .orderBy("sequence", "desc")
    .$castTo<CountedSnapshotRow>();
}

/** The sequence number of the snapshot that `offset` others are newer than. Undefined when the counts changed underway. */
async function sequenceAt(database: Kysely<Schema>, deploymentId: string, offset: number): Promise<number | undefined> {
  let newer = 0;
  let first = 0;
  let end = Number.MAX_SAFE_INTEGER;
  for (const shift of shifts) {
    const { rows } = await bucketsBetween(database, { deploymentId, shift, first, end });
    const picked = rows.find(({ snapshot_count: count }) => {
      if (newer + count > offset) return true;
      newer += count;
      return false;
    });
    if (picked === undefined) return undefined;
    first = picked.bucket * fanOut;
    end = first + fanOut;
  }
  const { rows } = await sequencesBetween(database, { deploymentId, first, end });
  return rows[offset - newer]?.sequence;
}

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
