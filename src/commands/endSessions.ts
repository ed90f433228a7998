import { bsonType, elementsOf, EngineError } from "../engine/index.ts";
import { defineCommand, type CommandDefinition } from "./define-command.ts";
import { endMatching, hexOf } from "./end-matching.ts";

/** `endSessions` and `killSessions`: ends what the sessions of this user have open; `killSessions` also what runs in them. `refreshSessions` uses them once more. */
function create(name: "endSessions" | "killSessions" | "refreshSessions"): CommandDefinition {
  return defineCommand({
    name,
    action: "any",
    run: async (parameters, context) => {
      const { main } = parameters;
      parameters.rejectUnknown();
      if (main.type !== bsonType.array)
        throw new EngineError(14, "TypeMismatch", `BSON field '${name}.${name}' must be an array of session ids`);
      const sessions = new Set(elementsOf(main).map((lsid) => hexOf(context.sessionKey(lsid))));
      const own = hexOf(context.connection.user?.sessionOwner ?? new Uint8Array(0));
      // An empty list means every session of the user (manual, "killSessions").
      if (name === "killSessions" && sessions.size === 0)
        await endMatching((_id, owner) => owner === own, context, true);
      else if (name === "refreshSessions") for (const session of sessions) context.server.sessions.use(session);
      else await endMatching((id, owner) => sessions.has(id + owner), context, name === "killSessions");
      return [];
    },
  });
}

export const endSessions = create("endSessions");
export const killSessions = create("killSessions");
export const refreshSessions = create("refreshSessions");
