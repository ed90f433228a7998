import type { RestoreInHand, RestoreTransitions } from "../../domain/backups/restore-transitions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DeploymentHost } from "../../ports/deployment-host.ts";
import type { DeploymentSources } from "../../ports/deployment-sources.ts";
import { type ExternalRestores, TargetNotEmpty } from "../../ports/external-restore.ts";
import type { Log } from "../../ports/log.ts";
import type { LeasedJob } from "../../ports/metadata/job-records.ts";
import { SnapshotDamaged, type SnapshotRepository } from "../../ports/snapshot-repository.ts";
import { defineTask, type Task } from "../define-task.ts";
import { NotProven, stageAndProve } from "../prove-restore.ts";
import { reasonOf } from "../reason.ts";
import { restoreElsewhere } from "../restore-elsewhere.ts";
import { createWantedCheck, NotWanted } from "../still-wanted.ts";

export interface RestoreParts {
  readonly transitions: RestoreTransitions;
  readonly host: DeploymentHost;
  readonly sources: DeploymentSources;
  readonly externalRestores: ExternalRestores;
  readonly repository: SnapshotRepository;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A target elsewhere is loaded and proven beside what it holds: see `restoreElsewhere`. Otherwise
 * loads a snapshot into the target's next generation, reads it back from there and compares, and only then makes it the true one. Whatever fails before leaves the target
 * as it was; a process that dies after serves the new one at its next start.
 */
export function restore(parts: RestoreParts): Task {
  return defineTask({
    kind: "restore",
    attemptsMax: 3,
    async run(job, signal) {
      const inHand = await parts.transitions.begin(job);
      if (inHand === undefined) return;
      try {
        const carriedOut = inHand.target.kind === "external" ? restoreElsewhere : carryOut;
        await carriedOut(parts, job, inHand, signal);
      } catch (error) {
        if (error instanceof NotWanted) {
          parts.log.info({ restoreJobId: job.subjectId }, "a restore is not wanted any more");
          return;
        }
        if (signal.aborted || !isFinal(error)) throw error;
        parts.log.error({ restoreJobId: job.subjectId, reason: reasonOf(error) }, "a restore failed for good");
        await parts.transitions.fail(job, reasonOf(error));
      }
    },
    async giveUp(job, reason) {
      await parts.transitions.fail(job, reason);
    },
  });
}

async function carryOut(
  parts: RestoreParts,
  job: LeasedJob,
  inHand: RestoreInHand,
  signal: AbortSignal,
): Promise<void> {
  const { target, snapshot, nextGeneration } = inHand;
  const reader = await parts.repository.open(snapshot.manifestKey);
  const wanted = createWantedCheck(parts.clock, signal, () => parts.transitions.begin(job));
  const staging = await parts.host.openStaging(target.id, nextGeneration);
  try {
    await stageAndProve(reader, staging, wanted);
    await staging.finish();
    await wanted();
  } catch (error) {
    await staging.abort();
    throw error;
  }
  // When this throws, it is not known which generation is the true one: nothing is deleted then, the next start or attempt tidies up.
  const finish = (): Promise<boolean> => parts.transitions.finish(job, nextGeneration);
  if (!(await parts.host.switchGeneration(target.id, nextGeneration, finish))) {
    await staging.abort();
    throw new Error("The target was changed while its restore was made.");
  }
  parts.log.info(
    { restoreJobId: job.subjectId, deploymentId: target.id, snapshotId: snapshot.id },
    "a restore is finished",
  );
}

/** Damage, a proof that failed, and what the target's database refuses (its errors have MongoDB's numbers) are the same at every attempt. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof SnapshotDamaged ||
    error instanceof NotProven ||
    error instanceof TargetNotEmpty ||
    typeof (error as { code?: unknown }).code === "number"
  );
}
