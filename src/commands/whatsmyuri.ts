import { stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `whatsmyuri`. */
export const whatsmyuri = defineCommand({
  name: "whatsmyuri",
  action: "open",
  run: async (_parameters, { connection }) => [["you", stringValue(connection.remoteAddress)]],
});
