import type { RestoreStaging } from "./deployment-host.ts";

/**
 * A snapshot on its way into a deployment elsewhere: collections under names of their own beside those in use, until what stands in them has been proven. `createIndexes` and
 * the rest are those of any restore.
 */
export interface ExternalStaging extends Omit<RestoreStaging, "finish" | "applyWrites"> {
  /**
   * Gives every collection its true name, drops what is not in the snapshot, makes the views, and compares the catalogue with the snapshot's. Each collection changes at one
   * instant, all of them one after the other: until it resolves, clients see some of the old and some of the new. `begin` is called right before the first change; when it throws
   * after that, the target may hold a part of each. Throws `TargetNotEmpty` before, when something has come to a target that nobody confirmed may be replaced.
   */
  publish(begin: () => Promise<void>): Promise<void>;
}

export interface OpenExternalStaging {
  /** 24 hex digits that name the collections of this restore; those that an earlier attempt of it left behind are dropped first. */
  readonly restoreJobId: string;
  /** Without it a target that holds anything is refused. */
  readonly replacesExisting: boolean;
}

export interface ExternalRestores {
  /** `connectionString` holds a password: it is never logged. Throws `TargetNotEmpty`, and stops with the signal's reason when it aborts. */
  open(connectionString: string, request: OpenExternalStaging, signal: AbortSignal): Promise<ExternalStaging>;
}

/** Nobody confirmed that what the target holds may go. */
export class TargetNotEmpty extends Error {
  constructor(namespace: string) {
    super(`The target is not empty (it has ${namespace}), and nobody confirmed that what it holds may be replaced.`);
    this.name = "TargetNotEmpty";
  }
}
