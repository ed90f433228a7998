import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { DatabaseUserCredential } from "../../ports/database-user-directory.ts";
import type { Ids } from "../../ports/ids.ts";

/** The process's own database user: its password lives in memory and as long as the process. */
export interface SystemUser {
  readonly username: string;
  readonly password: string;
  readonly credential: DatabaseUserCredential;
}

/** Also the name of its role, which the databases know as "everything". */
const name = "__telamon_system";
/** The password is random; rounds would not make it stronger. */
const iterationCount = 4096;

export function createSystemUser(ids: Ids): SystemUser {
  const password = Buffer.from(ids.randomBytes(24)).toString("base64url");
  const salt = ids.randomBytes(28);
  const salted = pbkdf2Sync(password, salt, iterationCount, 32, "sha256");
  const keyed = (purpose: string): Buffer => createHmac("sha256", salted).update(purpose).digest();
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest();
  const credential = { salt, iterationCount, storedKey, serverKey: keyed("Server Key") };
  return {
    username: name,
    password,
    credential: { username: name, credential, roles: [{ roleName: name, databaseName: "admin" }] },
  };
}
