import { createHash } from "node:crypto";
import type { Ids } from "../../ports/ids.ts";
import type { AccessRecords, RoleAssignment } from "../../ports/metadata/access-records.ts";
import type { Sealer } from "../../ports/sealer.ts";
import { digestRealm, digestSecretsPurpose } from "./digest-authentication.ts";

/** Purposes that hashes are bound to. */
export const clientSecretPurpose = "service account secret";
export const accessTokenPurpose = "access token";

export interface PrincipalRequest {
  readonly organizationId: string;
  readonly description: string;
  readonly roles: readonly RoleAssignment[];
  readonly nowMs: number;
}

interface Tools {
  readonly ids: Ids;
  readonly sealer: Sealer;
}

/** An API key before it is stored: its record, and the private key that only its maker sees. */
export function newApiKey(
  request: PrincipalRequest,
  { ids, sealer }: Tools,
): { readonly record: Parameters<AccessRecords["insertApiKey"]>[0]; readonly privateKey: string } {
  const publicKey = Array.from(ids.randomBytes(64))
    // 234 is the largest multiple of 26 in a byte: taking the rest would favour some letters.
    .filter((byte) => byte < 234)
    .slice(0, 8)
    .map((byte) => String.fromCharCode(97 + (byte % 26)))
    .join("");
  const privateKey = ids.uuid();
  const ha1 = (algorithm: "md5" | "sha256"): Buffer =>
    createHash(algorithm).update(`${publicKey}:${digestRealm}:${privateKey}`).digest();
  const record = {
    id: ids.objectId(),
    organizationId: request.organizationId,
    publicKey,
    description: request.description,
    sealedDigestSecrets: sealer.seal(Buffer.concat([ha1("md5"), ha1("sha256")]), digestSecretsPurpose),
    privateKeySuffix: privateKey.slice(-12),
    createdAtMs: request.nowMs,
    roles: request.roles,
  };
  return { record, privateKey };
}

export interface ServiceAccountRequest extends PrincipalRequest {
  readonly name: string;
  readonly secretExpiresAtMs: number;
}

/** A service account with one secret before it is stored; the secret is seen by its maker alone. */
export function newServiceAccount(
  request: ServiceAccountRequest,
  { ids, sealer }: Tools,
): { readonly record: Parameters<AccessRecords["insertServiceAccount"]>[0]; readonly clientSecret: string } {
  const clientSecret = `mdb_sa_sk_${Buffer.from(ids.randomBytes(30)).toString("base64url")}`;
  const record = {
    clientId: `mdb_sa_id_${ids.objectId()}`,
    organizationId: request.organizationId,
    name: request.name,
    description: request.description,
    createdAtMs: request.nowMs,
    secrets: [
      {
        id: ids.objectId(),
        secretHash: sealer.hash(clientSecret, clientSecretPurpose),
        createdAtMs: request.nowMs,
        expiresAtMs: request.secretExpiresAtMs,
        lastUsedAtMs: undefined,
      },
    ],
    roles: request.roles,
  };
  return { record, clientSecret };
}
