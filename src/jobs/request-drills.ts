import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";

/** Every deployment's newest snapshot is restored on trial when none of its snapshots was for so long. */
export const drillIntervalMs = 7 * 86_400_000;

/** Queues one drill, for the first deployment that is due; answers the snapshot's id. One at a time, so that trials never crowd out snapshots. */
export async function requestDrill({
  metadata,
  clock,
  ids,
}: {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}): Promise<string | undefined> {
  if (await metadata.jobs.unfinishedOf("drill")) return undefined;
  for (const { id } of await metadata.deployments.all()) {
    const provenAtMs = await metadata.snapshots.lastProvenAtMs(id);
    if (provenAtMs !== undefined && clock.nowMs() - provenAtMs < drillIntervalMs) continue;
    const newest = await metadata.snapshots.newestCompleted(id);
    // A new snapshot was read back already; its first trial is due when it has lasted.
    if (newest === undefined || clock.nowMs() - (newest.completedAtMs ?? 0) < drillIntervalMs / 7) continue;
    await metadata.jobs.insert({
      id: ids.objectId(),
      kind: "drill",
      subjectId: newest.id,
      exclusiveKey: id,
      runAtMs: clock.nowMs(),
    });
    return newest.id;
  }
  return undefined;
}
