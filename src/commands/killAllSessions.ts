import { bsonType, elementsOf, EngineError, getField, textOf } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `killAllSessions`: closes what the sessions of the users named left open; of all users, with an empty list. */
export const killAllSessions = defineCommand({
  name: "killAllSessions",
  action: "killOperation",
  run: async (parameters, { cursors }) => {
    const { main } = parameters;
    parameters.rejectUnknown();
    if (main.type !== bsonType.array)
      throw new EngineError(
        14,
        "TypeMismatch",
        "BSON field 'KillAllSessionsCmd.killAllSessions' is the wrong type, expected type 'array'",
      );
    const users = elementsOf(main).map((user) => {
      const name = user.type === bsonType.object ? getField(user.bytes(), "user") : undefined;
      if (name?.type !== bsonType.string)
        throw new EngineError(14, "TypeMismatch", "'killAllSessions' takes documents of a 'user' and a 'db'");
      return textOf(name);
    });
    if (users.length === 0) cursors.endSessions();
    for (const user of users) cursors.endUserSessions(user);
    return [];
  },
});
