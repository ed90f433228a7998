import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { DatabaseUserCredential, ScramCredential } from "../ports/database-user-directory.ts";
import { EngineError } from "../engine/index.ts";

/** Rounds that the made-up credential of an unknown user announces; those of real ones. */
const iterationCount = 15_000;

/** A login in progress (RFC 5802, RFC 7677), between the server's challenge and the client's proof. */
export interface ScramConversation {
  readonly id: number;
  readonly username: string;
  /** The database it logs in by. */
  readonly database: string;
  readonly nonce: string;
  /** What was said so far, which the proof is over. */
  readonly said: string;
  /** Undefined for a user that does not exist: the proof is checked all the same, and fails. */
  readonly found: DatabaseUserCredential | undefined;
  readonly credential: ScramCredential;
  /** Whether the last, empty exchange is left out. */
  readonly skipEmptyExchange: boolean;
  /** Set when the proof was right and only the empty exchange is left. */
  readonly proven: boolean;
}

export function authenticationFailed(): EngineError {
  return new EngineError(18, "AuthenticationFailed", "Authentication failed.");
}

/** Reads `n,,n=user,r=nonce`. Throws 18 for anything else. */
export function readClientFirst(message: string): {
  readonly username: string;
  readonly nonce: string;
  readonly bare: string;
} {
  const match = /^n,,(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]{8,512}))(,.*)?$/.exec(message);
  if (match === null) throw authenticationFailed();
  return {
    username: (match[2] as string).replaceAll("=2C", ",").replaceAll("=3D", "="),
    nonce: match[3] as string,
    bare: match[1] as string,
  };
}

/** The challenge: nonce, salt, rounds. */
export function serverFirst(nonce: string, credential: ScramCredential): string {
  return `r=${nonce},s=${Buffer.from(credential.salt).toString("base64")},i=${credential.iterationCount}`;
}

/** A credential for a name nobody has: always the same for a name, and no password fits it. */
export function unknownCredential(key: Uint8Array, username: string): ScramCredential {
  const derive = (purpose: string): Uint8Array => createHmac("sha256", key).update(`${purpose}\0${username}`).digest();
  return {
    salt: derive("salt").subarray(0, 28),
    iterationCount,
    storedKey: derive("stored"),
    serverKey: derive("server"),
  };
}

/** Checks `c=biws,r=nonce,p=proof` and answers `v=signature`. Throws 18 when it is not right. */
export function checkClientFinal(message: string, conversation: ScramConversation): string {
  const match = /^(c=biws,r=([^,]+)),p=([A-Za-z0-9+/=]+)$/.exec(message);
  const given = Buffer.from(match?.[3] ?? "", "base64");
  const authMessage = `${conversation.said},${match?.[1] ?? ""}`;
  const { storedKey, serverKey } = conversation.credential;
  const signature = createHmac("sha256", storedKey).update(authMessage).digest();
  const clientKey = Buffer.alloc(32);
  for (let index = 0; index < 32; index += 1) clientKey[index] = (given[index] ?? 0) ^ (signature[index] as number);
  const fits = timingSafeEqual(createHash("sha256").update(clientKey).digest(), storedKey);
  if (
    match === null ||
    match[2] !== conversation.nonce ||
    given.length !== 32 ||
    !fits ||
    conversation.found === undefined
  )
    throw authenticationFailed();
  return `v=${createHmac("sha256", serverKey).update(authMessage).digest("base64")}`;
}
