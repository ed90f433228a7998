import type { Log } from "../../ports/log.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import type { ParentsInUse } from "../parents-in-use.ts";

export interface CollectGarbageParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly parents: ParentsInUse;
  readonly log: Log;
}

/** Deletes stored objects that no snapshot needs. */
export function collectGarbage({ metadata, repository, parents, log }: CollectGarbageParts): Task {
  return defineTask({
    kind: "collectGarbage",
    attemptsMax: 5,
    async run(job) {
      const report = await repository.collectGarbage({
        // The records first: a parent that expires in between is still among those in use.
        liveManifestKeys: async () => new Set([...(await metadata.snapshots.liveManifestKeys()), ...parents.keys()]),
        snapshotIdsInProgress: () => metadata.snapshots.idsInProgress(),
      });
      if (report.deletedObjectCount > 0) log.info(report, "garbage was collected");
      await metadata.jobs.finish(job);
    },
    async giveUp(job, reason) {
      log.error({ reason }, "garbage could not be collected; nothing is lost, the next expiry or start tries again");
      await metadata.jobs.finish(job);
    },
  });
}
