import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";

export interface TakeSnapshot {
  readonly description?: string | undefined;
  /** 1 to 3650. */
  readonly retentionInDays: number;
}

/** Every call throws `SERVERLESS_INSTANCE_NOT_FOUND` when the project has no instance of that name. */
export interface SnapshotService {
  /** Newest first. */
  list(projectId: string, instanceName: string, page: PageRequest): Promise<Page<SnapshotRecord>>;
  /** Throws `INVALID_SNAPSHOT_ID` for what is no id, `SNAPSHOT_NOT_FOUND`. */
  get(projectId: string, instanceName: string, snapshotId: string): Promise<SnapshotRecord>;
  /** Answers the record in status `queued`; a `takeSnapshot` job takes it. Throws `UNFINISHED_ON_DEMAND_SNAPSHOT`. */
  take(projectId: string, instanceName: string, request: TakeSnapshot): Promise<SnapshotRecord>;
  /** Throws `CANNOT_DELETE_IN_PROGRESS_SNAPSHOT`, and `ATLAS_CLUSTER_RESTORE_IN_PROGRESS` while an unfinished restore needs it. */
  delete(projectId: string, instanceName: string, snapshotId: string): Promise<void>;
}
