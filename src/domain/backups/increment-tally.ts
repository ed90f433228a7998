import type { SnapshotFacts } from "../../ports/snapshot-repository.ts";

/** How snapshots came to be since this process began. */
export interface IncrementTally {
  /** Takes a snapshot that was completed. */
  add(facts: SnapshotFacts): void;
  /** Completed by what the operation log told, and by reading everything. */
  readonly snapshots: { readonly log: number; readonly read: number };
  /** Snapshots that were made both ways, and whether both were the same. */
  readonly checks: { readonly equal: number; readonly different: number };
}

export function createIncrementTally(): IncrementTally {
  const snapshots = { log: 0, read: 0 };
  const checks = { equal: 0, different: 0 };
  return {
    snapshots,
    checks,
    add({ incrementsInARow, incrementCheck }) {
      snapshots[incrementsInARow === undefined ? "read" : "log"] += 1;
      if (incrementCheck !== undefined) checks[incrementCheck] += 1;
    },
  };
}
