import { arrayValue, int32Value, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `getLog`: nothing is kept in memory for it; shells ask for start-up warnings. */
export const getLog = defineCommand({
  name: "getLog",
  action: "any",
  run: async (parameters) => {
    parameters.rejectUnknown();
    const kinds = ["global", "startupWarnings"].map(stringValue);
    const all = Buffer.from(parameters.main.bytes()).includes("*");
    return all
      ? [["names", arrayValue(kinds)]]
      : [
          ["totalLinesWritten", int32Value(0)],
          ["log", arrayValue([])],
        ];
  },
});
