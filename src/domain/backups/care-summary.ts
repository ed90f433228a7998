import type { Clock } from "../../ports/clock.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { policyOf } from "./policy.ts";

/** How well snapshots are kept and proven, over all deployments. */
export interface CareSummary {
  readonly heldSnapshots: number;
  readonly provenSnapshots: number;
  /** Snapshots whose last restore on trial failed. */
  readonly drillFailedSnapshots: number;
  /** Deployments whose policy wants restores on trial and of which no snapshot was ever proven. */
  readonly neverProvenDeployments: number;
  /** How long ago the deployment that was proven least recently was proven; undefined when none was. */
  readonly oldestProofAgeMs: number | undefined;
}

export async function careSummary({
  metadata,
  clock,
}: {
  readonly metadata: Metadata;
  readonly clock: Clock;
}): Promise<CareSummary> {
  const { held, proven, drillFailed } = await metadata.snapshots.careCounts();
  const drills = await metadata.snapshots.lastDrills();
  const wanted = (await metadata.deployments.all()).filter((deployment) => policyOf(deployment).drillEveryDays > 0);
  const proofsAtMs = wanted.map(({ id }) => drills.get(id)?.provenAtMs).filter((atMs) => atMs !== undefined);
  return {
    heldSnapshots: held,
    provenSnapshots: proven,
    drillFailedSnapshots: drillFailed,
    neverProvenDeployments: wanted.length - proofsAtMs.length,
    oldestProofAgeMs:
      proofsAtMs.length === 0
        ? undefined
        : Math.max(0, clock.nowMs() - proofsAtMs.reduce((one, other) => Math.min(one, other))),
  };
}
