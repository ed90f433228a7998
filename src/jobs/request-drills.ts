import { policyOf } from "../domain/backups/policy.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Metadata } from "../ports/metadata/metadata.ts";

const dayMs = 86_400_000;
/** A trial that failed is tried again after so long. */
const retryMs = dayMs;
/** Where nothing is due, how long until it is looked again. */
const lookEveryMs = 600_000;
/** Trials by schedule rest so many times as long as the last one took: they get a tenth of the time. */
const restFactor = 9;

export interface DrillRounds {
  /** Queues at most one drill, of the deployment that was proven least recently; answers the snapshot's id. */
  next(): Promise<string | undefined>;
}

export interface DrillRoundsOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Drills by schedule: one at a time, within a budget of time, so that trials never crowd out snapshots. */
export function createDrillRounds(options: DrillRoundsOptions): DrillRounds {
  const { metadata, clock } = options;
  let startedAtMs: number | undefined;
  let restUntilMs = clock.monotonicMs() + lookEveryMs;
  return {
    async next() {
      const nowMs = clock.monotonicMs();
      if (await metadata.jobs.unfinishedOf("drill")) {
        startedAtMs ??= nowMs;
        return undefined;
      }
      if (startedAtMs !== undefined) {
        restUntilMs = nowMs + restFactor * (nowMs - startedAtMs);
        startedAtMs = undefined;
      }
      if (nowMs < restUntilMs) return undefined;
      const snapshotId = await requestDueDrill(options);
      if (snapshotId === undefined) restUntilMs = nowMs + lookEveryMs;
      else startedAtMs = nowMs;
      return snapshotId;
    },
  };
}

/** Queues a trial of the newest snapshot of the deployment that is due and was proven least recently. */
export async function requestDueDrill({ metadata, clock, ids }: DrillRoundsOptions): Promise<string | undefined> {
  const nowMs = clock.nowMs();
  const drills = await metadata.snapshots.lastDrills();
  const due = (await metadata.deployments.all()).filter((deployment) => {
    const { drillEveryDays } = policyOf(deployment);
    const { provenAtMs = -Infinity, drilledAtMs = -Infinity } = drills.get(deployment.id) ?? {};
    return drillEveryDays > 0 && nowMs - provenAtMs >= drillEveryDays * dayMs && nowMs - drilledAtMs >= retryMs;
  });
  const provenAtMs = ({ id }: { readonly id: string }): number => drills.get(id)?.provenAtMs ?? 0;
  for (const deployment of due.toSorted((one, other) => provenAtMs(one) - provenAtMs(other))) {
    const newest = await metadata.snapshots.newestCompleted(deployment.id);
    if (newest === undefined) continue;
    await metadata.jobs.insert({
      id: ids.objectId(),
      kind: "drill",
      subjectId: newest.id,
      exclusiveKey: deployment.id,
      runAtMs: nowMs,
    });
    return newest.id;
  }
  return undefined;
}
