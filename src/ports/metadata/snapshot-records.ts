import type { Page, PageRequest } from "../../shared/page.ts";
import type { SnapshotFacts } from "../snapshot-repository.ts";

export type SnapshotStatus = "queued" | "inProgress" | "completed" | "failed";

/** Why a snapshot does not expire and cannot be deleted until somebody lets go of it. */
export interface SnapshotHold {
  readonly atMs: number;
  /** Public key or client id, or `command line`. */
  readonly by: string;
  readonly reason: string;
}

export interface SnapshotRecord {
  readonly id: string;
  readonly deploymentId: string;
  /** Counts up within the deployment; lists go by it, newest first, so that paging is stable whatever the clock does. */
  readonly sequence: number;
  readonly status: SnapshotStatus;
  readonly snapshotType: "onDemand" | "scheduled";
  readonly frequencyType: "ondemand" | "hourly" | "daily" | "weekly" | "monthly" | "yearly";
  /** Items of the policy that it was taken for; empty for one on demand. */
  readonly policyItemIds: readonly string[];
  readonly description: string | undefined;
  readonly requestedAtMs: number;
  /** When the data was captured. */
  readonly createdAtMs: number | undefined;
  readonly completedAtMs: number | undefined;
  readonly expiresAtMs: number;
  /** How long it is kept from its completion. */
  readonly retentionMs: number;
  /** It stays, past its time too, while it is among so many newest completed ones of its deployment; at least 1. */
  readonly newestKept: number;
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
  readonly hold: SnapshotHold | undefined;
  /** When it was last restored on trial and compared, byte for byte. */
  readonly provenAtMs: number | undefined;
  /** When that was last tried. */
  readonly drilledAtMs: number | undefined;
  /** Why the last trial failed, one sentence for people; undefined when it went well. */
  readonly drillFailureReason: string | undefined;
  /** Of the store's copy of this record; goes up with every change that the store is to be told. */
  readonly catalogueRevision: number;
  /** Whether the store's copy is older than this record. */
  readonly catalogueDue: boolean;
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
  update(id: string, changes: SnapshotChanges): Promise<void>;
  delete(id: string): Promise<void>;
  /**
   * Completed or failed ones past `nowMs` that are not held, that no unfinished restore needs and that are not among the newest that must stay, at most `limit`. One that
   * failed its last trial counts for nothing among the newest.
   */
  expired(nowMs: number, limit: number): Promise<readonly SnapshotRecord[]>;
  /** Of these ids, those that no snapshot has or had: whoever has lost metadata must not take them for deleted. */
  neverKnown(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Whether the deployment has a snapshot that is held. */
  anyHeld(deploymentId: string): Promise<boolean>;
  /** When any snapshot of each deployment was last proven restorable, and when that was last tried; deployments without a trial are left out. */
  lastDrills(): Promise<ReadonlyMap<string, { readonly provenAtMs: number | undefined; readonly drilledAtMs: number }>>;
  /** Completed ones whose copy in the store is older than their record, at most `limit`. */
  catalogueDue(limit: number): Promise<readonly SnapshotRecord[]>;
  /** Completed scheduled ones whose number is above `sequence`, in order, at most `limit`. */
  scheduledAfter(deploymentId: string, sequence: number, limit: number): Promise<readonly SnapshotRecord[]>;
  /** Completed ones whose number is below `sequence` (from the newest when left out), newest first, at most `limit`. */
  completedBefore(
    deploymentId: string,
    sequence: number | undefined,
    limit: number,
  ): Promise<readonly SnapshotRecord[]>;
  /** How many snapshots are held, were proven restorable, failed their last trial, over all deployments. */
  careCounts(): Promise<{ readonly held: number; readonly proven: number; readonly drillFailed: number }>;
  /** Manifests of every completed snapshot of every deployment, and of those that snapshots in progress share data with. */
  liveManifestKeys(): Promise<ReadonlySet<string>>;
  idsInProgress(): Promise<ReadonlySet<string>>;
}
