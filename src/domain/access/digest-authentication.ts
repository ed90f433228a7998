import { hash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { AccessRecords } from "../../ports/metadata/access-records.ts";
import type { Sealer } from "../../ports/sealer.ts";
import type { Actor } from "./actor.ts";
import { createDigestNonces } from "./digest-nonces.ts";
import { notAuthenticated } from "./errors.ts";

/** The realm of the vendor's API; it is part of what keys are hashed with. */
export const digestRealm = "MMS Public API";
export const digestSecretsPurpose = "api key digest secrets";

export const digestAlgorithms = ["MD5", "SHA-256"] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** What an `Authorization: Digest` header says (RFC 7616, section 3.4). */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hexadecimal. */
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  /** 8 hexadecimal digits. */
  readonly nonceCount: string;
  readonly clientNonce: string;
}

export interface DigestAuthentication {
  /** A fresh nonce for a challenge. */
  issueNonce(): string;
  /** Throws the error of `notAuthenticated`, stale when only the nonce is old. `target` is the request's path and query as received. */
  authenticate(credentials: DigestCredentials, method: string, target: string): Promise<Actor>;
}

/** HTTP digest for API keys: `qop=auth`, MD5 and SHA-256 (RFC 7616). */
export function createDigestAuthentication(options: {
  readonly records: Pick<AccessRecords, "findApiKeyByPublicKey">;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly ids: Ids;
}): DigestAuthentication {
  const { records, sealer, ids } = options;
  const nonces = createDigestNonces(options.clock, ids);
  // Stands in for the secrets of a key that does not exist, so that it costs what a wrong private key costs.
  const nobody = sealer.seal(ids.randomBytes(48), digestSecretsPurpose);

  return {
    issueNonce: () => nonces.issue(),
    async authenticate(credentials, method, target) {
      const nonce = nonces.check(credentials.nonce);
      const key = await records.findApiKeyByPublicKey(credentials.username);
      const secrets = sealer.unseal(key?.sealedDigestSecrets ?? nobody, digestSecretsPurpose);
      const expected = digestResponse(credentials, method, secrets);
      const given = /^[0-9a-f]*$/.test(credentials.response)
        ? Buffer.from(credentials.response, "hex")
        : Buffer.alloc(0);
      const matches = given.length === expected.length && timingSafeEqual(given, expected);
      if (
        !matches ||
        key === undefined ||
        credentials.realm !== digestRealm ||
        credentials.uri !== target ||
        nonce === "unknown"
      ) {
        throw notAuthenticated();
      }
      if (nonce === "stale" || !nonces.use(credentials.nonce, Number.parseInt(credentials.nonceCount, 16)))
        throw notAuthenticated(true);
      return {
        principalId: key.id,
        publicName: key.publicKey,
        kind: "apiKey",
        organizationId: key.organizationId,
        roles: key.roles,
      };
    },
  };
}

/** RFC 7616, section 3.4.1, with the secrets `HA1(MD5)` (16 bytes) and `HA1(SHA-256)` (32 bytes). */
function digestResponse(credentials: DigestCredentials, method: string, secrets: Uint8Array): Buffer {
  const name = credentials.algorithm === "MD5" ? "md5" : "sha256";
  const ha1 = Buffer.from(
    credentials.algorithm === "MD5" ? secrets.subarray(0, 16) : secrets.subarray(16, 48),
  ).toString("hex");
  const ha2 = hash(name, `${method}:${credentials.uri}`);
  return hash(
    name,
    `${ha1}:${credentials.nonce}:${credentials.nonceCount}:${credentials.clientNonce}:auth:${ha2}`,
    "buffer",
  );
}
