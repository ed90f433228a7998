import { arrayValue, objectValue, stringValue, type Value } from "../engine/index.ts";
import { defineCommand } from "./define-command.ts";
import type { DatabaseRole } from "../ports/database-user-directory.ts";
import { grantsOf, privilegeActions } from "./privileges.ts";

/** `connectionStatus`: who is logged in, with which roles. */
export const connectionStatus = defineCommand({
  name: "connectionStatus",
  action: "open",
  run: async (parameters, { connection }) => {
    const showPrivileges = parameters.flag("showPrivileges");
    parameters.rejectUnknown();
    const { user } = connection;
    const users =
      user === undefined
        ? []
        : [
            objectValue([
              ["user", stringValue(user.name)],
              ["db", stringValue(user.database)],
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
          ...(showPrivileges
            ? ([
                ["authenticatedUserPrivileges", arrayValue((user?.credential.roles ?? []).flatMap(privilegesOf))],
              ] as const)
            : []),
        ]),
      ],
    ];
  },
});

/** A role's privileges as the manual shows them; an empty name means all. */
function privilegesOf(role: DatabaseRole): readonly Value[] {
  const grants = grantsOf(role);
  if (grants === undefined) return [];
  const actions = grants.actions
    .flatMap((action) => (action === "open" || action === "any" ? [] : privilegeActions[action]))
    .toSorted();
  return [
    objectValue([
      [
        "resource",
        objectValue([
          ["db", stringValue(grants.database)],
          ["collection", stringValue(grants.collection)],
        ]),
      ],
      ["actions", arrayValue(actions.map(stringValue))],
    ]),
  ];
}
