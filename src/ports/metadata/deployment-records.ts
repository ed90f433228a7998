import type { Page, PageRequest } from "../../shared/page.ts";
import type { BackupPolicy } from "./backup-policy.ts";
import type { Tag } from "./project-records.ts";

export type DeploymentState = "CREATING" | "IDLE" | "UPDATING" | "DELETING" | "REPAIRING";

/** `nextSnapshotAtMs` of a deployment that none is planned for: the last instant that a date can name. */
export const noSnapshotPlannedAtMs = 8_640_000_000_000_000;

export interface DeploymentRecord {
  readonly id: string;
  readonly projectId: string;
  readonly kind: "serverless";
  /** Unique within the project. */
  readonly name: string;
  readonly state: DeploymentState;
  readonly createdAtMs: number;
  readonly backingProviderName: string;
  readonly regionName: string;
  readonly continuousBackupEnabled: boolean;
  readonly terminationProtectionEnabled: boolean;
  readonly tags: readonly Tag[] | undefined;
  /** Where its database listens; undefined until it was first started. */
  readonly port: number | undefined;
  /** Which data file is the true one. */
  readonly generation: number;
  readonly nextSnapshotAtMs: number;
  /** Its own policy; undefined for that of its kind. */
  readonly backupPolicy: BackupPolicy | undefined;
  /** Items of the policy whose last slot went by without a completed snapshot. */
  readonly owedPolicyItemIds: readonly string[];
}

export type DeploymentChanges = Partial<
  Pick<
    DeploymentRecord,
    | "state"
    | "continuousBackupEnabled"
    | "terminationProtectionEnabled"
    | "tags"
    | "port"
    | "generation"
    | "nextSnapshotAtMs"
    | "backupPolicy"
    | "owedPolicyItemIds"
  >
>;

export interface DeploymentRecords {
  /** Throws `MetadataConflict` when the project has one of that name. */
  insert(deployment: DeploymentRecord): Promise<void>;
  find(id: string): Promise<DeploymentRecord | undefined>;
  findByName(projectId: string, name: string): Promise<DeploymentRecord | undefined>;
  /** Oldest first. */
  page(projectId: string, page: PageRequest): Promise<Page<DeploymentRecord>>;
  count(projectId: string): Promise<number>;
  /** Everything that is not `DELETING`, for a start. */
  all(): Promise<readonly DeploymentRecord[]>;
  /** IDLE deployments whose `nextSnapshotAtMs` is not after `nowMs`, at most `limit`. */
  dueForSnapshot(nowMs: number, limit: number): Promise<readonly DeploymentRecord[]>;
  update(id: string, changes: DeploymentChanges): Promise<void>;
  /** With its snapshots' and restore jobs' records. */
  delete(id: string): Promise<void>;
}
