import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { CloudDatabaseUser, databaseUserSettings, presentDatabaseUser } from "./cloud-database-user.ts";

/** `POST /groups/{groupId}/databaseUsers`. */
export const createGroupDatabaseUser = defineOperation({
  operationId: "createGroupDatabaseUser",
  otherNames: ["createDatabaseUser"],
  tag: "Database Users",
  summary: "Create one database user",
  description: "Users log in with a password (SCRAM-SHA-256) on `admin`. Needs Project Owner or Database Access Admin.",
  method: "POST",
  route: "/api/atlas/v2/groups/{groupId}/databaseUsers",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_DATABASE_ACCESS_ADMIN"] },
  rateLimit: "databaseUsers",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          ...databaseUserSettings,
          databaseName: Type.String({ maxLength: 64 }),
          username: Type.String({ maxLength: 1024 }),
        },
        { additionalProperties: false },
      ),
      response: CloudDatabaseUser,
      status: 201,
      handler: async ({ path, body, href }, { databaseUsers }) => {
        const { groupId: _repeated, links: _links, ...request } = body;
        return presentDatabaseUser(await databaseUsers.create(path.groupId, request), href);
      },
    },
  },
});
