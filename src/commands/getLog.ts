import { arrayValue, bsonType, EngineError, int32Value, stringValue, textOf } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

const kinds = ["global", "startupWarnings"];

/** `getLog`: nothing is kept in memory for it; shells ask for start-up warnings. */
export const getLog = defineCommand({
  name: "getLog",
  action: "monitor",
  adminOnly: true,
  run: async (parameters) => {
    parameters.rejectUnknown();
    if (parameters.main.type !== bsonType.string)
      throw new EngineError(14, "TypeMismatch", "Argument to getLog must be of type String");
    const wanted = textOf(parameters.main);
    if (wanted !== "*" && !kinds.includes(wanted))
      throw new EngineError(96, "OperationFailed", `No log named '${wanted}'`);
    return wanted === "*"
      ? [["names", arrayValue(kinds.map(stringValue))]]
      : [
          ["totalLinesWritten", int32Value(0)],
          ["log", arrayValue([])],
        ];
  },
});
