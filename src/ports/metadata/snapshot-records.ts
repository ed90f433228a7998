import type { Page, PageRequest } from "../../shared/page.ts";
import type { SnapshotFacts } from "../snapshot-repository.ts";

export type SnapshotStatus = "queued" | "inProgress" | "completed" | "failed";

export interface SnapshotRecord {
  readonly id: string;
  readonly deploymentId: string;
  /** Counts up within the deployment; lists go by it, newest first, so that paging is stable whatever the clock does. */
  readonly sequence: number;
  readonly status: SnapshotStatus;
  readonly snapshotType: "onDemand" | "scheduled";
  readonly frequencyType: "ondemand" | "hourly" | "daily" | "weekly" | "monthly";
  readonly description: string | undefined;
  readonly requestedAtMs: number;
  /** When the data was captured. */
  readonly createdAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  readonly expiresAtMs: number;
  /** How long it is kept from its completion. */
  readonly retentionMs: number;
  readonly storageSizeBytes: number;
  readonly addedSizeBytes: number;
  readonly manifestKey: string | undefined;
  readonly serverVersion: string | undefined;
  readonly consistency: SnapshotFacts["consistency"] | undefined;
  readonly clusterTime: { readonly seconds: number; readonly increment: number } | undefined;
  /** One sentence for people, with `failed`. */
  readonly failureReason: string | undefined;
  /** While it is in progress: the snapshot whose data it may share, which must not go. */
  readonly parentManifestKey: string | undefined;
  /** Held: it does not expire and cannot be deleted until somebody lets go of it. */
  readonly held: boolean;
  /** When it was last restored on trial and compared, byte for byte. */
  readonly provenAtMs: number | undefined;
}

export type SnapshotChanges = Partial<
  Omit<SnapshotRecord, "id" | "deploymentId" | "sequence" | "snapshotType" | "frequencyType" | "requestedAtMs">
>;

export interface SnapshotRecords {
  /** Gives the record its sequence number and answers it. Throws `MetadataConflict` when there is one of that id. */
  insert(snapshot: Omit<SnapshotRecord, "sequence">): Promise<SnapshotRecord>;
  /** Puts many at once, oldest first, for imports and measurements. */
  insertMany(snapshots: readonly Omit<SnapshotRecord, "sequence">[]): Promise<void>;
  /** Only when it belongs to that deployment. */
  find(deploymentId: string, id: string): Promise<SnapshotRecord | undefined>;
  /**
   * Newest first. The cost depends on the page's size alone, neither on how many snapshots there are nor on how deep the page lies;
   * the total count is kept, not counted.
   */
  page(deploymentId: string, page: PageRequest): Promise<Page<SnapshotRecord>>;
  /** The newest completed one, whose data the next can share. */
  newestCompleted(deploymentId: string): Promise<SnapshotRecord | undefined>;
  /** Whether an on-demand snapshot is queued or in progress. */
  hasUnfinishedOnDemand(deploymentId: string): Promise<boolean>;
  /** Whether a scheduled snapshot is queued or in progress. */
  hasUnfinishedScheduled(deploymentId: string): Promise<boolean>;
  /** The newest scheduled one of that frequency type that has not failed. */
  newestScheduled(
    deploymentId: string,
    frequencyType: "daily" | "weekly" | "monthly",
  ): Promise<SnapshotRecord | undefined>;
  update(id: string, changes: SnapshotChanges): Promise<void>;
  delete(id: string): Promise<void>;
  /** Completed or failed ones past `nowMs` that are not held and that no unfinished restore needs, at most `limit`. */
  expired(nowMs: number, limit: number): Promise<readonly SnapshotRecord[]>;
  /** Of these ids, those that no snapshot has or had: whoever has lost metadata must not take them for deleted. */
  neverKnown(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** When any snapshot of the deployment was last proven restorable. */
  lastProvenAtMs(deploymentId: string): Promise<number | undefined>;
  /** Manifests of every completed snapshot of every deployment, and of those that snapshots in progress share data with. */
  liveManifestKeys(): Promise<ReadonlySet<string>>;
  idsInProgress(): Promise<ReadonlySet<string>>;
}
