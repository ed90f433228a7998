import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { saslprep } from "@mongodb-js/saslprep";
import type { ScramCredential } from "../../ports/database-user-directory.ts";
import type { Ids } from "../../ports/ids.ts";
import { invalidAttribute } from "../attributes/errors.ts";

/** What MongoDB uses for SCRAM-SHA-256; RFC 7677 asks for at least 4096. */
export const iterationCount = 15_000;
const saltLength = 28;
const keyLength = 32;

const derive = promisify(pbkdf2);

/** What to keep of a new password: a random salt of its own, MongoDB's iteration count. */
export function scramCredential(password: string, ids: Pick<Ids, "randomBytes">): Promise<ScramCredential> {
  return deriveScramCredential(password, ids.randomBytes(saltLength), iterationCount);
}

/**
 * What a server must keep to check the password by SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677). Throws `INVALID_ATTRIBUTE` for a password
 * that SASLprep (RFC 4013) forbids, since no driver could log in with it.
 */
export async function deriveScramCredential(
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramCredential> {
  const saltedPassword = await derive(preparedPassword(password), salt, iterations, keyLength, "sha256");
  const clientKey = createHmac("sha256", saltedPassword).update("Client Key").digest();
  const serverKey = createHmac("sha256", saltedPassword).update("Server Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest();
  return {
    salt,
    iterationCount: iterations,
    storedKey: Uint8Array.from(storedKey),
    serverKey: Uint8Array.from(serverKey),
  };
}

function preparedPassword(password: string): string {
  let prepared: string;
  try {
    prepared = saslprep(password);
  } catch {
    // The error names the character, and so a part of the password.
    throw invalidAttribute("password");
  }
  if (prepared.length === 0) throw invalidAttribute("password");
  return prepared;
}
