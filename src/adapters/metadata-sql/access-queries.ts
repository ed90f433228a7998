import type {
  AccessRecords,
  ApiKeyRecord,
  RoleAssignment,
  ServiceAccountRecord,
  ServiceAccountSecret,
} from "../../ports/metadata/access-records.ts";
import { atomically, type Connections } from "./connections.ts";
import { prepared } from "./prepared-query.ts";
import type { Kysely } from "kysely";
import type { ApiKeyRow, Schema, ServiceAccountRow } from "./schema.ts";

const findKey = prepared<{ publicKey: string }>()((database, value) =>
  database
    .selectFrom("api_keys")
    .leftJoin("role_assignments", "role_assignments.principal_id", "api_keys.id")
    .selectAll("api_keys")
    .select(["scope", "scope_id", "role_name"])
    .where("public_key", "=", value("publicKey")),
);

const findAccount = prepared<{ clientId: string }>()((database, value) =>
  accountsWithSecretsAndRoles(database).where("service_accounts.client_id", "=", value("clientId")),
);

const findTokenWithAccount = prepared<{ tokenHash: Uint8Array }>()((database, value) =>
  accountsWithSecretsAndRoles(database)
    .innerJoin("access_tokens", "access_tokens.client_id", "service_accounts.client_id")
    .select(["token_hash", "access_tokens.expires_at_ms as token_expires_at_ms"])
    .where("token_hash", "=", value("tokenHash")),
);

const insertToken = prepared<{ tokenHash: Uint8Array; clientId: string; expiresAtMs: number }>()((database, value) =>
  database.insertInto("access_tokens").values({
    token_hash: value("tokenHash"),
    client_id: value("clientId"),
    expires_at_ms: value("expiresAtMs"),
  }),
);

const countLiveTokens = prepared<{ clientId: string; nowMs: number }>()((database, value) =>
  database
    .selectFrom("access_tokens")
    .select((builder) => builder.fn.countAll<number>().as("total"))
    .where("client_id", "=", value("clientId"))
    .where("expires_at_ms", ">", value("nowMs")),
);

export function accessRecords(connections: Connections): AccessRecords {
  const { read, write } = connections;
  return {
    insertApiKey: (key) =>
      atomically(connections, async (transaction) => {
        await transaction.insertInto("api_keys").values(fromApiKey(key)).execute();
        await insertRoles(transaction, key.id, key.roles);
      }),
    findApiKeyByPublicKey: async (publicKey) => {
      const { rows } = await findKey(read, { publicKey });
      const first = rows[0];
      return first === undefined ? undefined : { ...toApiKey(first), roles: rolesOf(rows) };
    },
    insertServiceAccount: (account) =>
      atomically(connections, async (transaction) => {
        await transaction
          .insertInto("service_accounts")
          .values({
            client_id: account.clientId,
            organization_id: account.organizationId,
            name: account.name,
            description: account.description,
            created_at_ms: account.createdAtMs,
          })
          .execute();
        for (const secret of account.secrets) await insertSecret(transaction, account.clientId, secret);
        await insertRoles(transaction, account.clientId, account.roles);
      }),
    findServiceAccount: async (clientId) => toAccount((await findAccount(read, { clientId })).rows),
    recordSecretUse: async (clientId, secretId, usedAtMs) => {
      await write
        .updateTable("service_account_secrets")
        .set({ last_used_at_ms: usedAtMs })
        .where("client_id", "=", clientId)
        .where("id", "=", secretId)
        .execute();
    },
    insertToken: async (token) => {
      await insertToken(write, token);
    },
    findToken: async (tokenHash) => {
      const { rows } = await findTokenWithAccount(read, { tokenHash });
      const first = rows[0];
      const account = toAccount(rows);
      if (first === undefined || account === undefined) return undefined;
      const token = { tokenHash: first.token_hash, clientId: first.client_id, expiresAtMs: first.token_expires_at_ms };
      return { token, account };
    },
    countTokens: async (clientId, nowMs) =>
      Number((await countLiveTokens(read, { clientId, nowMs })).rows[0]?.total ?? 0),
    deleteToken: async (tokenHash, clientId) => {
      await write
        .deleteFrom("access_tokens")
        .where("token_hash", "=", tokenHash)
        .where("client_id", "=", clientId)
        .execute();
    },
    deleteExpiredTokens: async (nowMs) => {
      const result = await write
        .deleteFrom("access_tokens")
        .where("expires_at_ms", "<=", nowMs)
        .executeTakeFirstOrThrow();
      return Number(result.numDeletedRows);
    },
    addRoles: (principalId, roles) =>
      atomically(connections, (transaction) => insertRoles(transaction, principalId, roles)),
  };
}

function accountsWithSecretsAndRoles(database: Kysely<Schema>) {
  // Secrets and roles of an account are a handful each, so their product costs less than a second query.
  return database
    .selectFrom("service_accounts")
    .leftJoin("service_account_secrets as secret", "secret.client_id", "service_accounts.client_id")
    .leftJoin("role_assignments", "role_assignments.principal_id", "service_accounts.client_id")
    .selectAll("service_accounts")
    .select([
      "secret.id as secret_id",
      "secret.secret_hash",
      "secret.created_at_ms as secret_created_at_ms",
      "secret.expires_at_ms as secret_expires_at_ms",
      "secret.last_used_at_ms as secret_last_used_at_ms",
      "scope",
      "scope_id",
      "role_name",
    ]);
}

interface RoleColumns {
  readonly scope: RoleAssignment["scope"] | null;
  readonly scope_id: string | null;
  readonly role_name: string | null;
}

interface SecretColumns {
  readonly secret_id: string | null;
  readonly secret_hash: Uint8Array | null;
  readonly secret_created_at_ms: number | null;
  readonly secret_expires_at_ms: number | null;
  readonly secret_last_used_at_ms: number | null;
}

async function insertRoles(
  database: Kysely<Schema>,
  principalId: string,
  roles: readonly RoleAssignment[],
): Promise<void> {
  for (const role of roles) {
    await database
      .insertInto("role_assignments")
      .values({ principal_id: principalId, scope: role.scope, scope_id: role.scopeId, role_name: role.roleName })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

async function insertSecret(database: Kysely<Schema>, clientId: string, secret: ServiceAccountSecret): Promise<void> {
  await database
    .insertInto("service_account_secrets")
    .values({
      client_id: clientId,
      id: secret.id,
      secret_hash: secret.secretHash,
      created_at_ms: secret.createdAtMs,
      expires_at_ms: secret.expiresAtMs,
      last_used_at_ms: secret.lastUsedAtMs ?? null,
    })
    .execute();
}

function fromApiKey(key: ApiKeyRecord): ApiKeyRow {
  return {
    id: key.id,
    organization_id: key.organizationId,
    public_key: key.publicKey,
    description: key.description,
    sealed_digest_secrets: key.sealedDigestSecrets,
    private_key_suffix: key.privateKeySuffix,
    created_at_ms: key.createdAtMs,
  };
}

function toApiKey(row: ApiKeyRow): Omit<ApiKeyRecord, "roles"> {
  return {
    id: row.id,
    organizationId: row.organization_id,
    publicKey: row.public_key,
    description: row.description,
    sealedDigestSecrets: row.sealed_digest_secrets,
    privateKeySuffix: row.private_key_suffix,
    createdAtMs: row.created_at_ms,
  };
}

function toAccount(
  rows: readonly (ServiceAccountRow & SecretColumns & RoleColumns)[],
): ServiceAccountRecord | undefined {
  const first = rows[0];
  if (first === undefined) return undefined;
  return {
    clientId: first.client_id,
    organizationId: first.organization_id,
    name: first.name,
    description: first.description,
    createdAtMs: first.created_at_ms,
    secrets: secretsOf(rows),
    roles: rolesOf(rows),
  };
}

function secretsOf(rows: readonly SecretColumns[]): readonly ServiceAccountSecret[] {
  const secrets = new Map<string, ServiceAccountSecret>();
  for (const row of rows) {
    if (row.secret_id === null || row.secret_hash === null || secrets.has(row.secret_id)) continue;
    secrets.set(row.secret_id, {
      id: row.secret_id,
      secretHash: row.secret_hash,
      createdAtMs: row.secret_created_at_ms ?? 0,
      expiresAtMs: row.secret_expires_at_ms ?? 0,
      lastUsedAtMs: row.secret_last_used_at_ms ?? undefined,
    });
  }
  return [...secrets.values()];
}

function rolesOf(rows: readonly RoleColumns[]): readonly RoleAssignment[] {
  const roles = new Map<string, RoleAssignment>();
  for (const { scope, scope_id: scopeId, role_name: roleName } of rows) {
    if (scope === null || scopeId === null || roleName === null) continue;
    roles.set(`${scope} ${scopeId} ${roleName}`, { scope, scopeId, roleName });
  }
  return [...roles.values()];
}
