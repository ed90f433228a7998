import type { GarbageReport } from "../snapshot-repository.ts";

/** A collection of garbage that somebody asked for, and what it did. Those by schedule keep no record. */
export interface GarbageCollectionRecord {
  readonly id: string;
  readonly status: "queued" | "inProgress" | "completed" | "failed";
  readonly requestedAtMs: number;
  readonly finishedAtMs: number | undefined;
  readonly dryRun: boolean;
  readonly graceMs: number;
  readonly repacksMax: number;
  /** With `completed`. */
  readonly report: GarbageReport | undefined;
  /** One sentence for people, with `failed`. */
  readonly failureReason: string | undefined;
}

export interface GarbageCollectionRecords {
  insert(collection: GarbageCollectionRecord): Promise<void>;
  find(id: string): Promise<GarbageCollectionRecord | undefined>;
  update(
    id: string,
    changes: Partial<Pick<GarbageCollectionRecord, "status" | "finishedAtMs" | "report" | "failureReason">>,
  ): Promise<void>;
  /** Forgets finished ones but the newest `kept`. */
  deleteOld(kept: number): Promise<void>;
}
