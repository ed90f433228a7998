import { EngineError, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `getParameter`: the feature compatibility version, which shells ask for; there are no others. */
export const getParameter = defineCommand({
  name: "getParameter",
  action: "monitor",
  adminOnly: true,
  run: async (parameters, { server }) => {
    if (parameters.get("featureCompatibilityVersion") === undefined)
      throw new EngineError(72, "InvalidOptions", "no option found to get");
    parameters.refuse("showDetails");
    const version = server.serverVersion.split(".").slice(0, 2).join(".");
    return [["featureCompatibilityVersion", objectValue([["version", stringValue(version)]])]];
  },
});
