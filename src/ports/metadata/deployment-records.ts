import type { Page, PageRequest } from "../../shared/page.ts";
import type { Tag } from "./project-records.ts";

export type DeploymentState = "CREATING" | "IDLE" | "UPDATING" | "DELETING" | "REPAIRING";

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
