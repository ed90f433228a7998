import type { Page, PageRequest } from "../../shared/page.ts";

export interface RestoreJobRecord {
  readonly id: string;
  /** The deployment whose snapshot is restored; lists go by it. */
  readonly deploymentId: string;
  readonly snapshotId: string;
  readonly deliveryType: "automated";
  readonly targetProjectId: string;
  readonly targetDeploymentId: string;
  readonly targetName: string;
  /** Somebody confirmed that what an external target holds may be replaced. */
  readonly replacesExisting: boolean;
  /** An external target is being changed, or was when it ended: from here on it does not hold what it held before. */
  readonly publishing: boolean;
  readonly requestedAtMs: number;
  /** `createdAt` of the snapshot. */
  readonly snapshotCreatedAtMs: number;
  /** Set once, whether it went well or not. */
  readonly finishedAtMs: number | undefined;
  readonly failed: boolean;
  readonly failureReason: string | undefined;
}

export interface RestoreJobRecords {
  /** Throws `MetadataConflict` when an unfinished one writes to the same deployment. */
  insert(job: RestoreJobRecord): Promise<void>;
  find(deploymentId: string, id: string): Promise<RestoreJobRecord | undefined>;
  /** Newest first. */
  page(deploymentId: string, page: PageRequest): Promise<Page<RestoreJobRecord>>;
  /** An unfinished one that writes to this deployment. */
  findUnfinishedFor(targetDeploymentId: string): Promise<RestoreJobRecord | undefined>;
  /** Whether an unfinished one reads this snapshot: it must not be deleted then. */
  unfinishedNeeds(snapshotId: string): Promise<boolean>;
  update(
    id: string,
    changes: Partial<Pick<RestoreJobRecord, "finishedAtMs" | "failed" | "failureReason" | "publishing">>,
  ): Promise<void>;
}
