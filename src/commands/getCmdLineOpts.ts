import { arrayValue, objectValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `getCmdLineOpts`: the database was not started by a command line of its own. */
export const getCmdLineOpts = defineCommand({
  name: "getCmdLineOpts",
  action: "monitor",
  adminOnly: true,
  run: async (parameters) => {
    parameters.rejectUnknown();
    return [
      ["argv", arrayValue([])],
      ["parsed", objectValue([])],
    ];
  },
});
