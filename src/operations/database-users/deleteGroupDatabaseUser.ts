import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { databaseName, groupId, username } from "../parameters.ts";

/** `DELETE /groups/{groupId}/databaseUsers/{databaseName}/{username}`. */
export const deleteGroupDatabaseUser = defineOperation({
  operationId: "deleteGroupDatabaseUser",
  otherNames: ["deleteDatabaseUser"],
  tag: "Database Users",
  summary: "Remove one database user",
  description: "Needs Project Owner or Database Access Admin.",
  method: "DELETE",
  route: "/api/atlas/v2/groups/{groupId}/databaseUsers/{databaseName}/{username}",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_DATABASE_ACCESS_ADMIN"] },
  rateLimit: "databaseUsers",
  path: Type.Object({ groupId, databaseName, username }),
  versions: {
    "2023-01-01": {
      response: undefined,
      status: 204,
      handler: async ({ path }, { databaseUsers }) =>
        databaseUsers.delete(path.groupId, path.databaseName, path.username),
    },
  },
});
