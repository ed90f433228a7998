import { stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `whatsmyuri`. */
export const whatsmyuri = defineCommand({
  name: "whatsmyuri",
  action: "open",
  run: async (parameters, { connection }) => {
    parameters.rejectUnknown();
    const { remoteHost, remotePort } = connection;
    return [["you", stringValue(`${remoteHost.includes(":") ? `[${remoteHost}]` : remoteHost}:${remotePort}`)]];
  },
});
