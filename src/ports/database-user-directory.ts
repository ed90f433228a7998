/** What the server keeps of a SCRAM-SHA-256 password (RFC 5802, RFC 7677): enough to check it, not to know it. */
export interface ScramCredential {
  readonly salt: Uint8Array;
  readonly iterationCount: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface DatabaseRole {
  /** `read`, `readWrite`, `dbAdmin`, `readAnyDatabase`, `readWriteAnyDatabase`, `dbAdminAnyDatabase`, `atlasAdmin`, ... */
  readonly roleName: string;
  readonly databaseName: string;
  /** Narrows the role to one collection (Atlas allows it for `read` and `readWrite`). */
  readonly collectionName?: string;
}

export interface DatabaseUserCredential {
  readonly username: string;
  readonly credential: ScramCredential;
  readonly roles: readonly DatabaseRole[];
}

/** A user as others may see it. */
export interface DirectoryEntry {
  readonly username: string;
  readonly authenticationDatabase: string;
  readonly roles: readonly DatabaseRole[];
}

/** Who may log in to a deployment. Asked at every login, so that a changed or expired user counts at once. */
export interface DatabaseUserDirectory {
  /** Undefined when there is none, it is expired, or its scopes leave this deployment out. */
  findCredential(
    deploymentId: string,
    authenticationDatabase: string,
    username: string,
  ): Promise<DatabaseUserCredential | undefined>;
  /** Whoever may log in, without anything secret; a project has few users. */
  list(deploymentId: string): Promise<readonly DirectoryEntry[]>;
}
