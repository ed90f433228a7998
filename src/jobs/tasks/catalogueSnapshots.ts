import { requestCataloguing } from "../../domain/backups/change-completed-snapshot.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Log } from "../../ports/log.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import type { SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { writeDueRecords } from "../write-due-records.ts";
import { defineTask, type Task } from "../define-task.ts";

export interface CatalogueSnapshotsParts {
  readonly metadata: Metadata;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** After the last attempt it is begun anew so much later: the records still say that the store was not told. */
const againMs = 3_600_000;

/** Tells the store what changed in the records of completed snapshots: holds, proofs, expiry. */
export function catalogueSnapshots(parts: CatalogueSnapshotsParts): Task {
  const { metadata, clock, ids, log } = parts;
  return defineTask({
    kind: "catalogueSnapshots",
    attemptsMax: 10,
    async run(job, signal) {
      for (let finished = false; !finished;) {
        await writeDueRecords(parts, signal);
        // Who changes a record looks for this job: it may only end where nothing was changed since.
        finished = await metadata.transaction(async (records) => {
          if ((await records.snapshots.catalogueDue(1)).length > 0 && (await records.jobs.holds(job))) return false;
          await records.jobs.finish(job);
          return true;
        });
      }
    },
    async giveUp(job, reason) {
      log.error({ reason }, "the store could not be told of changes to snapshots (holds, proofs); it is tried again");
      await metadata.transaction(async (records) => {
        if (await records.jobs.finish(job)) await requestCataloguing(records, ids, clock.nowMs() + againMs);
      });
    },
  });
}
