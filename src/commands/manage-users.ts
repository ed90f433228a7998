import { EngineError } from "../engine/index.ts";
import { defineCommand, type CommandDefinition } from "./define-command.ts";

/** Commands that change users and roles. Users belong to the project and are managed through the Administration API, as on Atlas, which answers so too. */
export const userManagementCommands: readonly CommandDefinition[] = [
  "createRole",
  "createUser",
  "dropAllRolesFromDatabase",
  "dropAllUsersFromDatabase",
  "dropRole",
  "dropUser",
  "grantPrivilegesToRole",
  "grantRolesToRole",
  "grantRolesToUser",
  "revokePrivilegesFromRole",
  "revokeRolesFromRole",
  "revokeRolesFromUser",
  "updateRole",
  "updateUser",
].map((name) =>
  defineCommand({
    name,
    action: "any",
    takesWriteConcern: true,
    run: async () => {
      throw new EngineError(
        8000,
        "AtlasError",
        `${name} is not served: users are managed as the project's database users, through the Administration API`,
      );
    },
  }),
);
