import { hash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { AccessRecords, ServiceAccountRecord, ServiceAccountSecret } from "../../ports/metadata/access-records.ts";
import type { Sealer } from "../../ports/sealer.ts";
import { AppError } from "../../shared/app-error.ts";
import type { Actor } from "./actor.ts";
import { accessTokenPurpose, clientSecretPurpose } from "./create-principals.ts";
import { notAuthenticated } from "./errors.ts";

/** How long an access token is good. */
export const accessTokenLifetimeSeconds = 3600;
/** Live tokens a service account may have. */
export const accessTokensMax = 100;

/** Good tokens whose keyed hash is remembered at once. */
const rememberedTokensMax = 10_000;

/** OAuth client credentials for service accounts (RFC 6749, section 4.4; RFC 7009). */
export interface TokenAuthentication {
  /** Throws the error of `notAuthenticated`. */
  authenticate(token: string): Promise<Actor>;
  /** Throws `invalid_client` (kind unauthenticated) or `access_denied` (kind forbidden) when the account has its most. */
  issue(
    clientId: string,
    clientSecret: string,
  ): Promise<{ readonly accessToken: string; readonly expiresInSeconds: number }>;
  /** Ends a token of this client; one that is not its own or not there changes nothing. Throws `invalid_client`. */
  revoke(clientId: string, clientSecret: string, token: string): Promise<void>;
}

export function createTokenAuthentication(options: {
  readonly records: AccessRecords;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly ids: Ids;
}): TokenAuthentication {
  const { records, sealer, clock, ids } = options;
  // By a plain hash, which takes a fifth of the keyed one's time; the tokens themselves are not kept, not even in memory.
  const keyedHashes = new Map<string, Uint8Array>();

  return {
    async authenticate(token) {
      const plainHash = hash("sha256", token, "base64");
      const known = keyedHashes.get(plainHash);
      const tokenHash = known ?? sealer.hash(token, accessTokenPurpose);
      const found = await records.findToken(tokenHash);
      if (found === undefined || found.token.expiresAtMs <= clock.nowMs()) throw notAuthenticated();
      if (known === undefined) remember(plainHash, tokenHash);
      const { clientId, organizationId, roles } = found.account;
      return { principalId: clientId, publicName: clientId, kind: "serviceAccount", organizationId, roles };
    },
    async issue(clientId, clientSecret) {
      const account = await requireClient(clientId, clientSecret);
      const nowMs = clock.nowMs();
      if ((await records.countTokens(account.clientId, nowMs)) >= accessTokensMax) throw tokenLimitReached();
      const accessToken = Buffer.from(ids.randomBytes(48)).toString("base64url");
      await records.insertToken({
        tokenHash: sealer.hash(accessToken, accessTokenPurpose),
        clientId: account.clientId,
        expiresAtMs: nowMs + accessTokenLifetimeSeconds * 1000,
      });
      return { accessToken, expiresInSeconds: accessTokenLifetimeSeconds };
    },
    async revoke(clientId, clientSecret, token) {
      const account = await requireClient(clientId, clientSecret);
      await records.deleteToken(sealer.hash(token, accessTokenPurpose), account.clientId);
    },
  };

  function remember(plainHash: string, tokenHash: Uint8Array): void {
    if (keyedHashes.size >= rememberedTokensMax) keyedHashes.clear();
    keyedHashes.set(plainHash, tokenHash);
  }

  async function requireClient(clientId: string, clientSecret: string): Promise<ServiceAccountRecord> {
    const account = await records.findServiceAccount(clientId);
    const given = sealer.hash(clientSecret, clientSecretPurpose);
    const nowMs = clock.nowMs();
    // Every secret is compared, also after a match, so that time tells nothing.
    let used: ServiceAccountSecret | undefined;
    for (const secret of account?.secrets ?? []) {
      const equal = secret.secretHash.length === given.length && timingSafeEqual(secret.secretHash, given);
      if (equal && secret.expiresAtMs > nowMs) used = secret;
    }
    if (account === undefined || used === undefined) throw invalidClient();
    await records.recordSecretUse(account.clientId, used.id, nowMs);
    return account;
  }
}

function invalidClient(): AppError {
  return new AppError("unauthenticated", "invalid_client", "Invalid credentials provided.");
}

function tokenLimitReached(): AppError {
  return new AppError(
    "forbidden",
    "access_denied",
    "Access Token limit reached. Please use the existing Access Tokens or create a new Service Account.",
  );
}
