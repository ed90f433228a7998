import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import { garbageRequest } from "../garbage-request.ts";
import { requestGarbageCollection } from "../request-garbage-collection.ts";

export interface CollectGarbageParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Marks stored objects that no snapshot needs, deletes those that were marked a day ago, and comes back when the next have waited long enough. */
export function collectGarbage(parts: CollectGarbageParts): Task {
  const { metadata, repository, log } = parts;
  return defineTask({
    kind: "collectGarbage",
    attemptsMax: 5,
    async run(job, signal) {
      const report = await repository.collectGarbage({ ...garbageRequest(parts), signal });
      if (report.deletedObjectCount > 0 || report.repackedPackCount > 0) log.info(report, "garbage was collected");
      if (report.lockedObjectCount > 0)
        log.info(
          { objectCount: report.lockedObjectCount, sizeBytes: report.lockedSizeBytes },
          "the store keeps garbage locked; it is asked about again in a day",
        );
      if (report.unknownSnapshotIds.length > 0)
        log.warn(
          { count: report.unknownSnapshotIds.length },
          "the store has snapshots that the metadata has never known; nothing of them is deleted (telamon recover brings them back)",
        );
      await metadata.jobs.finish(job);
      if (report.nextAtMs !== undefined) await requestGarbageCollection(parts, report.nextAtMs);
    },
    async giveUp(job, reason) {
      log.error({ reason }, "garbage could not be collected; nothing is lost, the next expiry or start tries again");
      await metadata.jobs.finish(job);
    },
  });
}
