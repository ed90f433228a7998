import { defineTask, type Task } from "../define-task.ts";
import { garbageRequest } from "../garbage-request.ts";
import { requestGarbageCollection } from "../request-garbage-collection.ts";
import type { CollectGarbageParts } from "./collectGarbage.ts";

/** A collection that somebody asked for, by their options; the record of it keeps what it did. Jobs have the record's id as subject. */
export function collectGarbageOnDemand(parts: CollectGarbageParts): Task {
  const { metadata, repository, clock, log } = parts;
  return defineTask({
    kind: "collectGarbageOnDemand",
    attemptsMax: 2,
    async run(job, signal) {
      const asked = await metadata.garbageCollections.find(job.subjectId);
      if (asked === undefined) {
        await metadata.jobs.finish(job);
        return;
      }
      await metadata.garbageCollections.update(asked.id, { status: "inProgress" });
      const { dryRun, graceMs, repacksMax } = asked;
      const report = await repository.collectGarbage({ ...garbageRequest(parts), dryRun, graceMs, repacksMax, signal });
      log.info({ ...report, dryRun }, "garbage was collected on demand");
      await metadata.transaction(async (records) => {
        if (!(await records.jobs.finish(job))) return;
        await records.garbageCollections.update(asked.id, {
          status: "completed",
          finishedAtMs: clock.nowMs(),
          report,
        });
      });
      if (report.nextAtMs !== undefined && !dryRun) await requestGarbageCollection(parts, report.nextAtMs);
    },
    async giveUp(job, reason) {
      log.error({ reason }, "garbage could not be collected on demand; nothing is lost");
      await metadata.transaction(async (records) => {
        if (!(await records.jobs.finish(job))) return;
        await records.garbageCollections.update(job.subjectId, {
          status: "failed",
          finishedAtMs: clock.nowMs(),
          failureReason: reason,
        });
      });
    },
  });
}
