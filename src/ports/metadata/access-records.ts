/** A role given to a principal, for a whole organization or for one project. */
export interface RoleAssignment {
  readonly scope: "organization" | "project";
  readonly scopeId: string;
  /** Atlas role name, such as `ORG_OWNER` or `GROUP_READ_ONLY`. */
  readonly roleName: string;
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly organizationId: string;
  /** 8 lower-case letters, unique. */
  readonly publicKey: string;
  readonly description: string;
  /** Sealed digest secrets (HA1 for MD5 and SHA-256); opaque here. */
  readonly sealedDigestSecrets: Uint8Array;
  /** Last 12 characters of the private key, shown masked. */
  readonly privateKeySuffix: string;
  readonly createdAtMs: number;
  readonly roles: readonly RoleAssignment[];
}

export interface ServiceAccountSecret {
  readonly id: string;
  /** Keyed hash of the secret. */
  readonly secretHash: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number | undefined;
}

export interface ServiceAccountRecord {
  /** `mdb_sa_id_` and 24 hex digits. */
  readonly clientId: string;
  readonly organizationId: string;
  readonly name: string;
  readonly description: string;
  readonly createdAtMs: number;
  readonly secrets: readonly ServiceAccountSecret[];
  readonly roles: readonly RoleAssignment[];
}

export interface AccessTokenRecord {
  /** Keyed hash of the token. */
  readonly tokenHash: Uint8Array;
  readonly clientId: string;
  readonly expiresAtMs: number;
}

export interface AccessRecords {
  insertApiKey(key: ApiKeyRecord): Promise<void>;
  findApiKeyByPublicKey(publicKey: string): Promise<ApiKeyRecord | undefined>;
  insertServiceAccount(account: ServiceAccountRecord): Promise<void>;
  findServiceAccount(clientId: string): Promise<ServiceAccountRecord | undefined>;
  recordSecretUse(clientId: string, secretId: string, usedAtMs: number): Promise<void>;
  insertToken(token: AccessTokenRecord): Promise<void>;
  /** The token with its account in one look-up: this is on the path of every request. */
  findToken(
    tokenHash: Uint8Array,
  ): Promise<{ readonly token: AccessTokenRecord; readonly account: ServiceAccountRecord } | undefined>;
  /** How many tokens of the account live past `nowMs`. */
  countTokens(clientId: string, nowMs: number): Promise<number>;
  /** Only when it belongs to that account. */
  deleteToken(tokenHash: Uint8Array, clientId: string): Promise<void>;
  deleteExpiredTokens(nowMs: number): Promise<number>;
  /** Adds what is missing, for a principal known by key id or client id. */
  addRoles(principalId: string, roles: readonly RoleAssignment[]): Promise<void>;
}
