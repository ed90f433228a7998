import { bsonType, EngineError, type Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import { endMatching, hexOf, type SessionMatch } from "./end-matching.ts";
import { ownerNamed } from "./killAllSessions.ts";
import { Parameters } from "./parameters.ts";

const name = "killAllSessionsByPattern";

/** `killAllSessionsByPattern`: ends what sessions have open and run, by their ids, owners' digests or users; of all sessions, with an empty list (manual, "killAllSessionsByPattern"). */
export const killAllSessionsByPattern = defineCommand({
  name,
  action: "killOperation",
  run: async (parameters, context) => {
    const patterns = parameters.requiredDocuments(name).map(matchOf);
    parameters.rejectUnknown();
    await endMatching(
      (id, owner) => patterns.length === 0 || patterns.some((matches) => matches(id, owner)),
      context,
      true,
    );
    return [];
  },
});

/** One pattern. Roles are not matched: whose they are is not known of a session. */
function matchOf(bytes: Uint8Array): SessionMatch {
  const fields = Parameters.within(`${name}.pattern`, bytes);
  const lsid = fields.document("lsid");
  const uid = fields.get("uid");
  const users = fields.documents("users");
  fields.refuse("roles");
  fields.rejectUnknown();
  if ([lsid, uid, users].filter((given) => given !== undefined).length > 1)
    throw new EngineError(9, "FailedToParse", "a pattern has one of lsid, uid and users");
  if (lsid !== undefined) {
    const session = Parameters.within(`${name}.pattern.lsid`, lsid);
    const wanted = [binaryOf("id", session.get("id"), 16), binaryOf("uid", session.get("uid"), 32)];
    session.rejectUnknown();
    return (id, owner) => id === wanted[0] && owner === wanted[1];
  }
  if (uid !== undefined) {
    const wanted = binaryOf("uid", uid, 32);
    return (_id, owner) => owner === wanted;
  }
  if (users === undefined) return () => true;
  const owners = new Set(users.map((user) => ownerNamed(`${name}.pattern.users`, user)));
  return (_id, owner) => owners.has(owner);
}

/** Content of binary data of a length, in hexadecimal digits. */
function binaryOf(field: string, value: Value | undefined, length: number): string {
  const bytes = value?.type === bsonType.binData ? value.bytes() : undefined;
  if (bytes?.length !== length + 5)
    throw new EngineError(14, "TypeMismatch", `'${field}' must be binary data of ${length} bytes`);
  return hexOf(bytes.subarray(5));
}
