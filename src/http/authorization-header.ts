import type { DigestCredentials } from "../domain/access/digest-authentication.ts";

/** What a caller presented. */
export type PresentedCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "unusable" }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "digest"; readonly credentials: DigestCredentials };

/** Longest header that is looked at; real ones are below 1 KiB. */
const lengthMax = 8192;

/** Reads an `Authorization` header; what cannot be used is `unusable`, never an error. */
export function readAuthorization(header: string | undefined): PresentedCredentials {
  if (header === undefined || header === "") return { kind: "none" };
  if (header.length > lengthMax) return { kind: "unusable" };
  if (/^bearer /i.test(header)) {
    const token = header.slice(7).trim();
    return /^[A-Za-z0-9._~+/-]+=*$/.test(token) ? { kind: "bearer", token } : { kind: "unusable" };
  }
  if (/^digest /i.test(header)) {
    const credentials = readDigest(header.slice(7));
    return credentials === undefined ? { kind: "unusable" } : { kind: "digest", credentials };
  }
  return { kind: "unusable" };
}

/** Directives in any order, quoted or not (RFC 7616, section 3.4, and what clients really send). */
function readDigest(text: string): DigestCredentials | undefined {
  const directives = new Map<string, string>();
  const pattern = /\s*([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/giy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const name = (match[1] ?? "").toLowerCase();
    if (directives.has(name)) return undefined;
    directives.set(name, match[3] ?? (match[2] ?? "").replaceAll(/\\(.)/g, "$1"));
  }
  const algorithm = (directives.get("algorithm") ?? "MD5").toUpperCase();
  const value = (name: string): string => directives.get(name) ?? "";
  const nonceCount = value("nc");
  if (algorithm !== "MD5" && algorithm !== "SHA-256") return undefined;
  if (
    value("qop") !== "auth" ||
    !/^[0-9a-f]{8}$/i.test(nonceCount) ||
    value("cnonce") === "" ||
    value("username") === ""
  )
    return undefined;
  return {
    username: value("username"),
    realm: value("realm"),
    nonce: value("nonce"),
    uri: value("uri"),
    response: value("response").toLowerCase(),
    algorithm,
    nonceCount,
    clientNonce: value("cnonce"),
  };
}
