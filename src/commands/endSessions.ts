import { bsonType, elementsOf } from "../engine/index.ts";
import { defineCommand, type CommandDefinition } from "./define-command.ts";

/** `endSessions` and `killSessions`: closes what the sessions left open. `refreshSessions` has nothing to refresh. */
function create(name: string, ends: boolean): CommandDefinition {
  return defineCommand({
    name,
    action: "any",
    run: async (parameters, context) => {
      const { main } = parameters;
      parameters.rejectUnknown();
      if (ends && main.type === bsonType.array)
        for (const id of elementsOf(main)) if (id.type === bsonType.object) context.cursors.endSession(id.bytes());
      return [];
    },
  });
}

export const endSessions = create("endSessions", true);
export const killSessions = create("killSessions", true);
export const refreshSessions = create("refreshSessions", false);
