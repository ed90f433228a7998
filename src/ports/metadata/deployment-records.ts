import type { Page, PageRequest } from "../../shared/page.ts";
import type { BackupPolicy } from "./backup-policy.ts";
import type { Tag } from "./project-records.ts";

/** `DETACHED`: an external one that nothing is known of how to reach; its snapshots are there. */
export type DeploymentState = "CREATING" | "IDLE" | "UPDATING" | "DELETING" | "REPAIRING" | "DETACHED";

/** `serverless`: hosted here; `external`: runs elsewhere, reached by connection string. */
export type DeploymentKind = "serverless" | "external";

/** `nextSnapshotAtMs` of a deployment that none is planned for: the last instant that a date can name. */
export const noSnapshotPlannedAtMs = 8_640_000_000_000_000;

export interface DeploymentRecord {
  readonly id: string;
  readonly projectId: string;
  readonly kind: DeploymentKind;
  /** Unique within the project. */
  readonly name: string;
  readonly state: DeploymentState;
  readonly createdAtMs: number;
  /** Empty, with the region, for external ones. */
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
  /** Of one kind, oldest first. */
  page(projectId: string, kind: DeploymentKind, page: PageRequest): Promise<Page<DeploymentRecord>>;
  /** Names of all kinds: a project has each once. */
  names(projectId: string): Promise<readonly string[]>;
  count(projectId: string, kind: DeploymentKind): Promise<number>;
  /** Everything that is not `DELETING`, for a start. */
  all(): Promise<readonly DeploymentRecord[]>;
  /** IDLE deployments whose `nextSnapshotAtMs` is not after `nowMs`, at most `limit`. */
  dueForSnapshot(nowMs: number, limit: number): Promise<readonly DeploymentRecord[]>;
  update(id: string, changes: DeploymentChanges): Promise<void>;
  /** With its snapshots' and restore jobs' records. */
  delete(id: string): Promise<void>;
}
