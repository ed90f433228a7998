import { doubleValue, EngineError, int32Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `profile`: there is no profiler, so its level is 0 and stays so. */
export const profile = defineCommand({
  name: "profile",
  action: "databaseAdmin",
  run: async (parameters) => {
    const level = parameters.whole("profile", -1);
    parameters.refuse("filter", "slowms", "sampleRate");
    parameters.rejectUnknown();
    if (level !== undefined && level > 0)
      throw new EngineError(238, "NotImplemented", "the profiler is not supported by this server");
    return [
      ["was", int32Value(0)],
      ["slowms", int32Value(100)],
      ["sampleRate", doubleValue(1)],
    ];
  },
});
