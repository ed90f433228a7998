import type { RestoreInHand } from "../domain/backups/restore-transitions.ts";
import type { LeasedJob } from "../ports/metadata/job-records.ts";
import { stageAndProve } from "./prove-restore.ts";
import { createWantedCheck, NotWanted } from "./still-wanted.ts";
import type { RestoreParts } from "./tasks/restore.ts";

/**
 * Loads a snapshot into a deployment elsewhere under names that nobody uses, reads it back from there and compares, and only then puts it in the place of what is there. Until that
 * begins the target is as it was. That it began is written down first, so that a second attempt puts the rest in place and does not take the first one's work for somebody's data.
 */
export async function restoreElsewhere(
  parts: RestoreParts,
  job: LeasedJob,
  { target, snapshot, restoreJob, nextGeneration }: RestoreInHand,
  signal: AbortSignal,
): Promise<void> {
  const { transitions, repository, sources, externalRestores, clock, log } = parts;
  const reader = await repository.open(snapshot.manifestKey);
  const wanted = createWantedCheck(clock, signal, () => transitions.begin(job));
  const { connectionString } = await sources.of(target);
  const request = {
    restoreJobId: restoreJob.id,
    replacesExisting: restoreJob.replacesExisting || restoreJob.publishing,
  };
  const staging = await externalRestores.open(connectionString, request, signal);
  try {
    await stageAndProve(reader, staging, wanted);
    await wanted();
    await staging.publish(async () => {
      if (!(await transitions.publishing(job))) throw new NotWanted("the restore is somebody else's now");
    });
  } catch (error) {
    await staging.abort();
    throw error;
  }
  if (!(await transitions.finish(job, nextGeneration)))
    throw new Error("The target was changed while its restore was made.");
  log.info({ restoreJobId: job.subjectId, deploymentId: target.id, snapshotId: snapshot.id }, "a restore is finished");
}
