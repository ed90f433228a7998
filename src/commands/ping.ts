import { defineCommand } from "./define-command.ts";

/** `ping`. */
export const ping = defineCommand({
  name: "ping",
  action: "open",
  run: async (parameters) => {
    parameters.rejectUnknown();
    return [];
  },
});
