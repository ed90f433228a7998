import { createHash, randomBytes } from "node:crypto";
import type { SampleAnswer } from "./bare-server.ts";
import type { Credentials } from "../telamon-process.ts";

/** `digest` reuses a nonce with a counter, as RFC 7616 allows; `digest-twice` asks for a challenge at each call, as the Go SDK does. */
export const authorizationKinds = ["bearer", "digest", "digest-twice"] as const;
export type AuthorizationKind = (typeof authorizationKinds)[number];

/** How one call is made: its path, the headers for the n-th call, and whether a challenge is fetched before each. */
export interface CallPlan {
  readonly path: string;
  readonly accept: string;
  readonly challengeFirst: boolean;
  /** `challenge` is the `WWW-Authenticate` of the answer before, with `challengeFirst`. */
  authorization(challenge: string | undefined): string;
  /** What the API answered, for the bare server to repeat. */
  readonly sample: SampleAnswer;
}

const accept = "application/vnd.atlas.2023-01-01+json";

/** Prepares calls of one kind and fetches the sample answer. Throws when the API does not answer 200. */
export async function createPlan(kind: AuthorizationKind, credentials: Credentials, path: string): Promise<CallPlan> {
  const url = `${credentials.baseUrl}${path}`;
  const authorization =
    kind === "bearer" ? await bearer(credentials) : await digest(credentials, url, path, kind === "digest-twice");
  const challenge = kind === "bearer" ? undefined : await fetchChallenge(url);
  const response = await fetch(url, { headers: { accept, authorization: authorization(challenge) } });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${kind} ${path}: ${response.status} ${body}`);
  const headers = Object.fromEntries(
    [...response.headers].filter(([name]) => !["connection", "keep-alive", "content-length", "date"].includes(name)),
  );
  return { path, accept, challengeFirst: kind === "digest-twice", authorization, sample: { body, headers } };
}

async function bearer(credentials: Credentials): Promise<() => string> {
  const { clientId, clientSecret } = credentials.serviceAccount;
  const response = await fetch(`${credentials.baseUrl}/api/oauth/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "grant_type=client_credentials",
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  return () => `Bearer ${token}`;
}

async function fetchChallenge(url: string): Promise<string> {
  const response = await fetch(url, { headers: { accept } });
  await response.text();
  return response.headers.get("www-authenticate") ?? "";
}

async function digest(
  credentials: Credentials,
  url: string,
  path: string,
  fresh: boolean,
): Promise<(challenge: string | undefined) => string> {
  const { publicKey, privateKey } = credentials.apiKey;
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const kept = await fetchChallenge(url);
  const realm = /realm="([^"]*)"/.exec(kept)?.[1] ?? "";
  const ha1 = md5(`${publicKey}:${realm}:${privateKey}`);
  const ha2 = md5(`GET:${path}`);
  const clientNonce = randomBytes(8).toString("hex");
  let count = 0;
  return (challenge) => {
    const nonce = /nonce="([^"]*)"/.exec(fresh ? (challenge ?? kept) : kept)?.[1] ?? "";
    count = fresh ? 1 : count + 1;
    const nonceCount = count.toString(16).padStart(8, "0");
    const response = md5(`${ha1}:${nonce}:${nonceCount}:${clientNonce}:auth:${ha2}`);
    return `Digest username="${publicKey}", realm="${realm}", nonce="${nonce}", uri="${path}", response="${response}", algorithm=MD5, qop=auth, nc=${nonceCount}, cnonce="${clientNonce}"`;
  };
}
