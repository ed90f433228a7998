import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";

/**
 * Until when a completed snapshot stays for certain, milliseconds since the epoch; Infinity when nobody can tell: it is held, or among the newest, which stay until others have taken
 * their place. `newerCount` is how many completed snapshots of its deployment came later and did not fail their last trial.
 */
export function keptUntilMs(
  { hold, newestKept, expiresAtMs }: Pick<SnapshotRecord, "hold" | "newestKept" | "expiresAtMs">,
  newerCount: number,
): number {
  return hold !== undefined || newerCount < newestKept ? Number.POSITIVE_INFINITY : expiresAtMs;
}
