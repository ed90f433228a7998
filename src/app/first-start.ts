import { readFileSync } from "node:fs";
import { join } from "node:path";
import { newApiKey, newServiceAccount } from "../domain/access/create-principals.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Metadata, MetadataRecords } from "../ports/metadata/metadata.ts";
import type { Sealer } from "../ports/sealer.ts";
import { writePrivateFile } from "./data-directory.ts";
import type { DemoCredentials } from "./demo.ts";

/** `credentials.json`: what the first start made, secrets included. */
export interface Credentials {
  readonly baseUrl: string;
  readonly orgId: string;
  readonly groupId: string;
  readonly apiKey: { readonly publicKey: string; readonly privateKey: string };
  readonly serviceAccount: { readonly clientId: string; readonly clientSecret: string };
  readonly demo?: DemoCredentials;
}

/** A first secret is good for ten years: nobody is there yet who could renew it. */
const secretLifetimeMs = 3650 * 86_400_000;

export function credentialsPath(dataDirectory: string): string {
  return join(dataDirectory, "credentials.json");
}

/** The file's content; undefined when it is gone, as it should be once its secrets are kept elsewhere. Throws when it is there and cannot be read. */
export function readCredentials(dataDirectory: string): Credentials | undefined {
  try {
    return JSON.parse(readFileSync(credentialsPath(dataDirectory), "utf8")) as Credentials;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${credentialsPath(dataDirectory)} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

export function writeCredentials(dataDirectory: string, credentials: Credentials): Promise<void> {
  return writePrivateFile(credentialsPath(dataDirectory), `${JSON.stringify(credentials, undefined, 2)}\n`);
}

/**
 * On an empty metadata database: one organization, one project, one API key and one service account, both Organization Owner. The file is written before the
 * metadata, so that no start can end with principals whose secrets nobody has. Answers undefined when there is an organization already.
 */
export async function prepareFirstStart(options: {
  readonly metadata: Metadata;
  readonly dataDirectory: string;
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly sealer: Sealer;
}): Promise<Credentials | undefined> {
  const { metadata, clock, ids } = options;
  if (await metadata.organizations.any()) return undefined;
  const nowMs = clock.nowMs();
  const organization = { id: ids.objectId(), name: "My Organization", createdAtMs: nowMs };
  const project = {
    id: ids.objectId(),
    organizationId: organization.id,
    name: "My Project",
    createdAtMs: nowMs,
    tags: undefined,
    withDefaultAlertsSettings: true,
  };
  return prepareOwner({
    ...options,
    organizationId: organization.id,
    projectId: project.id,
    alsoInsert: async (records) => {
      await records.organizations.insert(organization);
      await records.projects.insert(project);
    },
  });
}

export interface OwnerOptions {
  readonly metadata: Metadata;
  readonly dataDirectory: string;
  readonly baseUrl: string;
  readonly organizationId: string;
  readonly projectId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly sealer: Sealer;
  /** Done in the same transaction. */
  readonly alsoInsert?: (records: MetadataRecords) => Promise<void>;
}

/** One API key and one service account, both Organization Owner; their secrets are written to `credentials.json` before the metadata. */
export async function prepareOwner(options: OwnerOptions): Promise<Credentials> {
  const { metadata, organizationId, projectId, clock, ids, sealer } = options;
  const nowMs = clock.nowMs();
  const principal = {
    organizationId,
    description: "made by the first start",
    roles: [{ scope: "organization", scopeId: organizationId, roleName: "ORG_OWNER" } as const],
    nowMs,
  };
  const key = newApiKey(principal, { ids, sealer });
  const account = newServiceAccount(
    { ...principal, name: "first-start", secretExpiresAtMs: nowMs + secretLifetimeMs },
    { ids, sealer },
  );
  const credentials: Credentials = {
    baseUrl: options.baseUrl,
    orgId: organizationId,
    groupId: projectId,
    apiKey: { publicKey: key.record.publicKey, privateKey: key.privateKey },
    serviceAccount: { clientId: account.record.clientId, clientSecret: account.clientSecret },
  };
  await writeCredentials(options.dataDirectory, credentials);
  await metadata.transaction(async (records) => {
    await options.alsoInsert?.(records);
    await records.access.insertApiKey(key.record);
    await records.access.insertServiceAccount(account.record);
  });
  return credentials;
}
