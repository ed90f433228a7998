import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { databaseName, groupId, username } from "../parameters.ts";
import { CloudDatabaseUser, databaseUserSettings, presentDatabaseUser } from "./cloud-database-user.ts";

/** `PATCH /groups/{groupId}/databaseUsers/{databaseName}/{username}`: what is left out stays. */
export const updateGroupDatabaseUser = defineOperation({
  operationId: "updateGroupDatabaseUser",
  otherNames: ["updateDatabaseUser"],
  tag: "Database Users",
  summary: "Update one database user",
  description: "A new password counts at the next login. Needs Project Owner or Database Access Admin.",
  method: "PATCH",
  route: "/api/atlas/v2/groups/{groupId}/databaseUsers/{databaseName}/{username}",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_DATABASE_ACCESS_ADMIN"] },
  rateLimit: "databaseUsers",
  path: Type.Object({ groupId, databaseName, username }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          ...databaseUserSettings,
          databaseName: Type.Optional(Type.String({ maxLength: 64 })),
          username: Type.Optional(Type.String({ maxLength: 1024 })),
        },
        { additionalProperties: false },
      ),
      response: CloudDatabaseUser,
      status: 200,
      handler: async ({ path, body, href }, { databaseUsers }) => {
        const { groupId: _repeated, links: _links, ...changes } = body;
        return presentDatabaseUser(
          await databaseUsers.update(path.groupId, path.databaseName, path.username, changes),
          href,
        );
      },
    },
  },
});
