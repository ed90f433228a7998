import { defineCommand } from "./define-command.ts";

/** `logout`: the connection goes on without a user. */
export const logout = defineCommand({
  name: "logout",
  action: "open",
  run: async (parameters, { connection }) => {
    parameters.rejectUnknown();
    connection.user = undefined;
    connection.conversation = undefined;
    return [];
  },
});
