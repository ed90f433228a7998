import type { Clock } from "../../ports/clock.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";

export interface SnapshotExpiry {
  /**
   * Removes the records of at most `limit` snapshots that are past their `expiresAt` and that no unfinished restore needs; answers how many.
   * Their data is then garbage for the store to collect.
   */
  removeExpired(limit: number): Promise<number>;
}

export interface SnapshotExpiryDependencies {
  readonly metadata: Metadata;
  readonly clock: Clock;
}

export function createSnapshotExpiry({ metadata, clock }: SnapshotExpiryDependencies): SnapshotExpiry {
  return {
    // Found and removed in one transaction, so that no restore can begin to need one in between.
    removeExpired: (limit) =>
      metadata.transaction(async (records) => {
        const expired = await records.snapshots.expired(clock.nowMs(), limit);
        for (const snapshot of expired) await records.snapshots.delete(snapshot.id);
        return expired.length;
      }),
  };
}
