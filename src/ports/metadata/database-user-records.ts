import type { Page, PageRequest } from "../../shared/page.ts";
import type { DatabaseRole, ScramCredential } from "../database-user-directory.ts";

/** Narrows a user to named deployments; no scope at all means every deployment of the project. */
export interface DatabaseUserScope {
  readonly name: string;
  readonly type: "CLUSTER" | "DATA_LAKE" | "STREAM";
}

export interface DatabaseUserRecord {
  readonly projectId: string;
  /** Authentication database, `admin` for passwords. */
  readonly databaseName: string;
  readonly username: string;
  readonly credential: ScramCredential;
  readonly roles: readonly DatabaseRole[];
  readonly scopes: readonly DatabaseUserScope[];
  readonly labels: readonly { readonly key: string; readonly value: string }[];
  readonly description: string | undefined;
  /** The user ends at this time; at most a week after it is set. */
  readonly deleteAfterMs: number | undefined;
  readonly createdAtMs: number;
}

export interface DatabaseUserRecords {
  /** Throws `MetadataConflict` when the project has the user. */
  insert(user: DatabaseUserRecord): Promise<void>;
  find(projectId: string, databaseName: string, username: string): Promise<DatabaseUserRecord | undefined>;
  /** By database name, then user name. */
  page(projectId: string, page: PageRequest): Promise<Page<DatabaseUserRecord>>;
  count(projectId: string): Promise<number>;
  /** Replaces the record of the same project, database and name. */
  update(user: DatabaseUserRecord): Promise<void>;
  /** False when there was none. */
  delete(projectId: string, databaseName: string, username: string): Promise<boolean>;
  deleteExpired(nowMs: number): Promise<number>;
}
