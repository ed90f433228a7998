import { sql, type ExpressionBuilder, type Selectable } from "kysely";
import type { JobKind, JobRecords, LeasedJob } from "../../ports/metadata/job-records.ts";
import type { Connections } from "./connections.ts";
import type { JobRow, Schema } from "./schema.ts";

export function jobRecords({ read, write }: Connections): JobRecords {
  return {
    insert: async (job) => {
      await write
        .insertInto("jobs")
        .values({
          id: job.id,
          kind: job.kind,
          subject_id: job.subjectId,
          exclusive_key: job.exclusiveKey,
          run_at_ms: job.runAtMs,
          attempts: 0,
          lease_owner: null,
          lease_token: 0,
          lease_until_ms: null,
          last_reason: null,
        })
        .execute();
    },
    lease: async (kinds, owner, nowMs, leaseMs) => {
      if (kinds.length === 0) return undefined;
      const row = await write
        .updateTable("jobs")
        .set((builder) => ({
          lease_owner: owner,
          lease_token: builder("lease_token", "+", 1),
          lease_until_ms: nowMs + leaseMs,
          attempts: builder("attempts", "+", 1),
        }))
        .where("position", "=", (builder) =>
          builder
            .selectFrom("jobs as candidate")
            .select("candidate.position")
            .where("candidate.kind", "in", kinds)
            .where("candidate.run_at_ms", "<=", nowMs)
            .where(({ or, eb }) =>
              or([eb("candidate.lease_owner", "is", null), eb("candidate.lease_until_ms", "<=", nowMs)]),
            )
            .where(oldestOfItsKey)
            .orderBy("candidate.position")
            .limit(1),
        )
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : toLeasedJob(row);
    },
    renew: async (job, nowMs, leaseMs) => {
      const result = await write
        .updateTable("jobs")
        .set({ lease_until_ms: nowMs + leaseMs })
        .where("id", "=", job.id)
        .where("lease_token", "=", job.leaseToken)
        .where("lease_owner", "is not", null)
        .executeTakeFirstOrThrow();
      return result.numUpdatedRows > 0n;
    },
    holds: async (job) => {
      const row = await read
        .selectFrom("jobs")
        .select("id")
        .where("id", "=", job.id)
        .where("lease_token", "=", job.leaseToken)
        .where("lease_owner", "is not", null)
        .executeTakeFirst();
      return row !== undefined;
    },
    finish: async (job) => {
      const result = await write
        .deleteFrom("jobs")
        .where("id", "=", job.id)
        .where("lease_token", "=", job.leaseToken)
        .where("lease_owner", "is not", null)
        .executeTakeFirstOrThrow();
      return result.numDeletedRows > 0n;
    },
    postpone: async (job, runAtMs, reason) => {
      const result = await write
        .updateTable("jobs")
        .set({ run_at_ms: runAtMs, last_reason: reason, lease_owner: null, lease_until_ms: null })
        .where("id", "=", job.id)
        .where("lease_token", "=", job.leaseToken)
        .where("lease_owner", "is not", null)
        .executeTakeFirstOrThrow();
      return result.numUpdatedRows > 0n;
    },
    releaseAll: async () => {
      const result = await write
        .updateTable("jobs")
        .set({ lease_owner: null, lease_until_ms: null })
        .where("lease_owner", "is not", null)
        .executeTakeFirstOrThrow();
      return Number(result.numUpdatedRows);
    },
    nextDueMs: async (kinds: readonly JobKind[]) => {
      if (kinds.length === 0) return undefined;
      const row = await read
        .selectFrom("jobs as candidate")
        .select((builder) => builder.fn.min("candidate.run_at_ms").as("due"))
        .where("candidate.kind", "in", kinds)
        .where("candidate.lease_owner", "is", null)
        // One that waits behind another of its key is not due, or whoever asks would ask again without end.
        .where(oldestOfItsKey)
        .executeTakeFirst();
      const due = row?.due as number | null | undefined;
      return due ?? undefined;
    },
    unfinishedFor: async (subjectId) => {
      const row = await read
        .selectFrom("jobs")
        .select("id")
        .where("subject_id", "=", subjectId)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },
    unfinishedOf: async (kind) => {
      const row = await read.selectFrom("jobs").select("id").where("kind", "=", kind).limit(1).executeTakeFirst();
      return row !== undefined;
    },
  };
}

/** No job that came before it has its exclusive key, leased or not, whatever its kind and time. */
function oldestOfItsKey(builder: ExpressionBuilder<Schema & { candidate: JobRow }, "candidate">) {
  return builder.not(
    builder.exists(
      builder
        .selectFrom("jobs as older")
        .select(sql<number>`1`.as("one"))
        .whereRef("older.exclusive_key", "=", "candidate.exclusive_key")
        .whereRef("older.position", "<", "candidate.position"),
    ),
  );
}

function toLeasedJob(row: Selectable<JobRow>): LeasedJob {
  return {
    id: row.id,
    kind: row.kind,
    subjectId: row.subject_id,
    exclusiveKey: row.exclusive_key,
    runAtMs: row.run_at_ms,
    attempts: row.attempts,
    leaseToken: row.lease_token,
  };
}
