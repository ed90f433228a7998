import { newApiKey, newServiceAccount } from "../../src/domain/access/create-principals.ts";
import { createAccess } from "../../src/domain/access/authorization.ts";
import { createDigestAuthentication } from "../../src/domain/access/digest-authentication.ts";
import { createTokenAuthentication } from "../../src/domain/access/token-authentication.ts";
import { careSummary } from "../../src/domain/backups/care-summary.ts";
import { createIncrementTally, type IncrementTally } from "../../src/domain/backups/increment-tally.ts";
import { createServices } from "../../src/domain/services.ts";
import { createHttpServer } from "../../src/http/server.ts";
import { operations } from "../../src/operations/index.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { createSqliteMetadata } from "../../src/adapters/metadata-sql/sqlite-metadata.ts";
import { createAesSealer } from "../../src/adapters/sealer-aes/sealer-aes.ts";
import type { Metadata } from "../../src/ports/metadata/metadata.ts";
import type { RoleAssignment } from "../../src/ports/metadata/access-records.ts";
import { reachable } from "./domain-world.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** A principal of both kinds with the same roles. */
export interface Principal {
  readonly token: string;
  readonly publicKey: string;
  readonly privateKey: string;
}

/** The API over a real metadata database in memory and a clock that the test holds; without databases and workers. */
export interface ApiWorld {
  readonly baseUrl: string;
  readonly clock: FakeClock;
  readonly metadata: Metadata;
  readonly increments: IncrementTally;
  readonly organizationId: string;
  readonly projectId: string;
  /** A project of another organization, which nobody here has a role in. */
  readonly foreignProjectId: string;
  readonly owner: Principal;
  principal(...roles: readonly RoleAssignment[]): Promise<Principal>;
  request(
    method: string,
    path: string,
    options?: { readonly as?: Principal; readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
    readonly json: Record<string, unknown>;
  }>;
  close(): Promise<void>;
}

export const accept = "application/vnd.atlas.2023-01-01+json";

export async function createApiWorld(options: { readonly rateLimits?: "atlas" | "off" } = {}): Promise<ApiWorld> {
  const clock = createFakeClock();
  const ids = createRandomIds(clock);
  const sealer = createAesSealer(ids.randomBytes(32), ids);
  const metadata = await createSqliteMetadata({ path: ":memory:", clock });
  const tokens = createTokenAuthentication({ records: metadata.access, sealer, clock, ids });
  const failures: object[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object) => void failures.push(fields),
  };
  const increments = createIncrementTally();
  const server = await createHttpServer({
    operations,
    services: {
      ...createServices({ metadata, clock, ids, sealer, ...reachable }),
      access: createAccess(metadata),
      hosting: { serverVersion: "7.0.0", connectionString: () => undefined },
      build: "0".repeat(40),
    },
    digest: createDigestAuthentication({ records: metadata.access, sealer, clock, ids }),
    tokens,
    clock,
    ids,
    log,
    rateLimits: options.rateLimits ?? "off",
    publicUrl: undefined,
    ready: () => true,
    careSummary: () => careSummary({ metadata, clock }),
    increments,
    version: "0.0.0",
  });
  const baseUrl = await server.listen("127.0.0.1", 0);
  const [organizationId, projectId, foreignOrganizationId, foreignProjectId] = Array.from({ length: 4 }, () =>
    ids.objectId(),
  ) as [string, string, string, string];
  for (const [organization, project] of [
    [organizationId, projectId],
    [foreignOrganizationId, foreignProjectId],
  ] as const) {
    await metadata.organizations.insert({ id: organization, name: "organization", createdAtMs: clock.nowMs() });
    await metadata.projects.insert({
      id: project,
      organizationId: organization,
      name: "project",
      createdAtMs: clock.nowMs(),
      tags: undefined,
      withDefaultAlertsSettings: true,
    });
  }

  async function principal(...roles: readonly RoleAssignment[]): Promise<Principal> {
    const request = { organizationId, description: "of a test", roles, nowMs: clock.nowMs() };
    const key = newApiKey(request, { ids, sealer });
    const account = newServiceAccount(
      { ...request, name: "test", secretExpiresAtMs: clock.nowMs() + 1e12 },
      { ids, sealer },
    );
    await metadata.access.insertApiKey(key.record);
    await metadata.access.insertServiceAccount(account.record);
    const { accessToken } = await tokens.issue(account.record.clientId, account.clientSecret);
    return { token: accessToken, publicKey: key.record.publicKey, privateKey: key.privateKey };
  }

  const owner = await principal({ scope: "organization", scopeId: organizationId, roleName: "ORG_OWNER" });
  return {
    baseUrl,
    clock,
    metadata,
    increments,
    organizationId,
    projectId,
    foreignProjectId,
    owner,
    principal,
    async request(method, path, { as, headers = {}, body } = {}) {
      const response = await fetch(baseUrl + path, {
        method,
        headers: {
          accept,
          ...(as === undefined ? {} : { authorization: `Bearer ${as.token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {},
      };
    },
    async close() {
      await server.close();
      await metadata.close();
      if (failures.length > 0) throw new Error(`the server logged failures: ${JSON.stringify(failures.map(String))}`);
    },
  };
}
