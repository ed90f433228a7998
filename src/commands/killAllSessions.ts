import { defineCommand } from "./define-command.ts";
import { endMatching, hexOf } from "./end-matching.ts";
import { Parameters } from "./parameters.ts";
import { sessionOwnerOf } from "./session-fields.ts";

/** `killAllSessions`: ends what the sessions of the users named have open and run; of all users, with an empty list. */
export const killAllSessions = defineCommand({
  name: "killAllSessions",
  action: "killOperation",
  run: async (parameters, context) => {
    const users = parameters.requiredDocuments("killAllSessions");
    parameters.rejectUnknown();
    const owners = new Set(users.map((user) => ownerNamed("KillAllSessionsCmd.killAllSessions", user)));
    await endMatching((_id, owner) => owners.size === 0 || owners.has(owner), context, true);
    return [];
  },
});

/** Whose sessions `{user, db}` names, in hexadecimal digits. */
export function ownerNamed(field: string, user: Uint8Array): string {
  const fields = Parameters.within(field, user);
  const owner = sessionOwnerOf(fields.requiredText("user"), fields.requiredText("db"));
  fields.rejectUnknown();
  return hexOf(owner);
}
