import type { RestoreJobRecord } from "../../ports/metadata/restore-job-records.ts";
import type { Page, PageRequest } from "../../shared/page.ts";

export interface CreateRestoreJob {
  /** `automated`; `download` and `pointInTime` are refused as not implemented. */
  readonly deliveryType: string;
  readonly snapshotId?: string | undefined;
  readonly targetProjectId: string;
  /** Name of the instance whose data is replaced. */
  readonly targetName: string;
}

/** Whether the caller may replace data in that project; asked before anything about the target is looked up. */
export type MayRestoreTo = (projectId: string) => boolean | Promise<boolean>;

/** Every call throws `SERVERLESS_INSTANCE_NOT_FOUND` when the project has no instance of that name. */
export interface RestoreJobService {
  /** Restores of this instance's snapshots, newest first. */
  list(projectId: string, instanceName: string, page: PageRequest): Promise<Page<RestoreJobRecord>>;
  /** Throws `INVALID_JOB_ID` for what is no id, `RESTORE_JOB_NOT_FOUND`. */
  get(projectId: string, instanceName: string, restoreJobId: string): Promise<RestoreJobRecord>;
  /** Answers the unfinished record; a `restore` job carries it out. Throws `CANNOT_RESTORE_TO_TARGET`, `ATLAS_CLUSTER_RESTORE_IN_PROGRESS` and others. */
  create(
    projectId: string,
    instanceName: string,
    request: CreateRestoreJob,
    mayRestoreTo: MayRestoreTo,
  ): Promise<RestoreJobRecord>;
}
