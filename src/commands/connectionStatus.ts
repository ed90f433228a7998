import { arrayValue, objectValue, stringValue } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";

/** `connectionStatus`: who is logged in, with which roles. */
export const connectionStatus = defineCommand({
  name: "connectionStatus",
  action: "open",
  run: async (parameters, { connection }) => {
    parameters.ignore("showPrivileges");
    parameters.rejectUnknown();
    const { user } = connection;
    const users =
      user === undefined
        ? []
        : [
            objectValue([
              ["user", stringValue(user.name)],
              ["db", stringValue("admin")],
            ]),
          ];
    const roles = (user?.credential.roles ?? []).map((role) =>
      objectValue([
        ["role", stringValue(role.roleName)],
        ["db", stringValue(role.databaseName)],
      ]),
    );
    return [
      [
        "authInfo",
        objectValue([
          ["authenticatedUsers", arrayValue(users)],
          ["authenticatedUserRoles", arrayValue(roles)],
        ]),
      ],
    ];
  },
});
