import type {
  GarbageCollectionRecord,
  GarbageCollectionRecords,
} from "../../ports/metadata/garbage-collection-records.ts";
import type { GarbageReport } from "../../ports/snapshot-repository.ts";
import type { Connections } from "./connections.ts";
import { flag, optional } from "./row-values.ts";

export function garbageCollectionRecords({ read, write }: Connections): GarbageCollectionRecords {
  return {
    insert: async (collection) => {
      await write
        .insertInto("garbage_collections")
        .values({
          id: collection.id,
          status: collection.status,
          requested_at_ms: collection.requestedAtMs,
          finished_at_ms: collection.finishedAtMs ?? null,
          dry_run: flag(collection.dryRun),
          grace_ms: collection.graceMs,
          repacks_max: collection.repacksMax,
          report: reportText(collection.report),
          failure_reason: collection.failureReason ?? null,
        })
        .execute();
    },
    find: async (id) => {
      const row = await read.selectFrom("garbage_collections").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined) return undefined;
      return {
        id: row.id,
        status: row.status,
        requestedAtMs: row.requested_at_ms,
        finishedAtMs: optional(row.finished_at_ms),
        dryRun: row.dry_run === 1,
        graceMs: row.grace_ms,
        repacksMax: row.repacks_max,
        report: row.report === null ? undefined : reportFrom(row.report),
        failureReason: optional(row.failure_reason),
      };
    },
    update: async (id, changes) => {
      const columns = {
        ...(changes.status !== undefined && { status: changes.status }),
        ...("finishedAtMs" in changes && { finished_at_ms: changes.finishedAtMs ?? null }),
        ...("report" in changes && { report: reportText(changes.report) }),
        ...("failureReason" in changes && { failure_reason: changes.failureReason ?? null }),
      };
      if (Object.keys(columns).length === 0) return;
      await write.updateTable("garbage_collections").set(columns).where("id", "=", id).execute();
    },
    deleteOld: async (kept) => {
      await write
        .deleteFrom("garbage_collections")
        .where("finished_at_ms", "is not", null)
        .where("position", "not in", (builder) =>
          builder
            .selectFrom("garbage_collections")
            .select("position")
            .where("finished_at_ms", "is not", null)
            .orderBy("position", "desc")
            .limit(kept),
        )
        .execute();
    },
  };
}

function reportText(report: GarbageCollectionRecord["report"]): string | null {
  return report === undefined ? null : JSON.stringify(report);
}

/** JSON leaves out a field that is undefined. */
function reportFrom(text: string): GarbageReport {
  const report = JSON.parse(text) as GarbageReport;
  return { ...report, nextAtMs: report.nextAtMs };
}
