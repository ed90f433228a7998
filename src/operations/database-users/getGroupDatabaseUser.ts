import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { databaseName, groupId, username } from "../parameters.ts";
import { CloudDatabaseUser, presentDatabaseUser } from "./cloud-database-user.ts";

/** `GET /groups/{groupId}/databaseUsers/{databaseName}/{username}`. */
export const getGroupDatabaseUser = defineOperation({
  operationId: "getGroupDatabaseUser",
  otherNames: ["getDatabaseUser"],
  tag: "Database Users",
  summary: "Return one database user",
  description: "Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/databaseUsers/{databaseName}/{username}",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "databaseUsers",
  path: Type.Object({ groupId, databaseName, username }),
  versions: {
    "2023-01-01": {
      response: CloudDatabaseUser,
      status: 200,
      handler: async ({ path, href }, { databaseUsers }) =>
        presentDatabaseUser(await databaseUsers.get(path.groupId, path.databaseName, path.username), href),
    },
  },
});
