import { Type } from "typebox";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { CloudDatabaseUser, presentDatabaseUser } from "./cloud-database-user.ts";

/** `GET /groups/{groupId}/databaseUsers`. */
export const listGroupDatabaseUsers = defineListOperation({
  operationId: "listGroupDatabaseUsers",
  otherNames: ["listDatabaseUsers"],
  tag: "Database Users",
  summary: "Return all database users of one project",
  description: "By authentication database, then name. Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/databaseUsers",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "databaseUsers",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      response: CloudDatabaseUser,
      status: 200,
      handler: async ({ path, page, href }, { databaseUsers }) =>
        mapPage(await databaseUsers.list(path.groupId, page), (user) => presentDatabaseUser(user, href)),
    },
  },
});
