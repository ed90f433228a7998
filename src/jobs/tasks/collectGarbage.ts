import type { Log } from "../../ports/log.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";

/** Deletes stored objects that no snapshot needs. */
export function collectGarbage(parts: { readonly metadata: Metadata; readonly repository: SnapshotRepository; readonly log: Log }): Task {
  return defineTask({
    kind: "collectGarbage",
    attemptsMax: 5,
    async run(job) {
      const report = await parts.repository.collectGarbage({
        liveManifestKeys: () => parts.metadata.snapshots.liveManifestKeys(),
        snapshotIdsInProgress: () => parts.metadata.snapshots.idsInProgress(),
      });
      if (report.deletedObjectCount > 0) parts.log.info(report, "garbage was collected");
      await parts.metadata.jobs.finish(job);
    },
    async giveUp(job, reason) {
      parts.log.error({ reason }, "garbage could not be collected; nothing is lost, the next expiry tries again");
      await parts.metadata.jobs.finish(job);
    },
  });
}
