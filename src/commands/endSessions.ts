import { bsonType, elementsOf, EngineError } from "../engine/index.ts";
import { defineCommand, type CommandContext, type CommandDefinition } from "./define-command.ts";

/** `endSessions` and `killSessions`: closes what the sessions of this user left open. `refreshSessions` has nothing to refresh. */
function create(name: string, ends: boolean): CommandDefinition {
  return defineCommand({
    name,
    action: "any",
    run: async (parameters, context) => {
      const { main } = parameters;
      parameters.rejectUnknown();
      if (main.type !== bsonType.array)
        throw new EngineError(14, "TypeMismatch", `BSON field '${name}.${name}' must be an array of session ids`);
      const sessions = elementsOf(main).map(context.sessionKey);
      if (ends) for (const session of sessions) context.cursors.endSession(session);
      if (ends) await endTransactions(sessions, name === "killSessions", context);
      // An empty list means every session of the user (manual, "killSessions").
      if (name === "killSessions" && sessions.length === 0)
        context.cursors.endUser(context.connection.user?.name ?? "");
      return [];
    },
  });
}

/** Ends open transactions of sessions; without any and if `all`, those of every session of the user. */
async function endTransactions(
  sessions: readonly Uint8Array[],
  all: boolean,
  { server, connection, engine }: CommandContext,
): Promise<void> {
  const owner = Buffer.from(connection.user?.sessionOwner ?? []).toString("hex");
  const wanted =
    all && sessions.length === 0
      ? [...server.transactionSessions].filter((key) => key.slice(32) === owner)
      : sessions.map((session) => Buffer.from(session).toString("hex"));
  for (const key of wanted)
    if (server.transactionSessions.delete(key)) (await engine()).transactions.endSession(Buffer.from(key, "hex"));
}

export const endSessions = create("endSessions", true);
export const killSessions = create("killSessions", true);
export const refreshSessions = create("refreshSessions", false);
