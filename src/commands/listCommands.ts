import { arrayValue, boolValue, objectValue, stringValue } from "../engine/index.ts";
import { isInVersion1 } from "./api-version.ts";
import { defineCommand } from "./define-command.ts";

/** `listCommands`: what is served. */
export const listCommands = defineCommand({
  name: "listCommands",
  action: "any",
  run: async (parameters, { commands }) => {
    parameters.rejectUnknown();
    const described = commands.map(
      ({ name, action, adminOnly }) =>
        [
          name,
          objectValue([
            ["apiVersions", arrayValue(isInVersion1(name) ? [stringValue("1")] : [])],
            ["requiresAuth", boolValue(action !== "open")],
            ["secondaryOk", boolValue(true)],
            ["adminOnly", boolValue(adminOnly === true)],
          ]),
        ] as const,
    );
    return [["commands", objectValue(described)]];
  },
});
