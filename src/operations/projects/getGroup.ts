import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { Group, presentGroup } from "./group.ts";

/** `GET /groups/{groupId}`. */
export const getGroup = defineOperation({
  operationId: "getGroup",
  otherNames: ["getProject"],
  tag: "Projects",
  summary: "Return one project",
  description: "Needs any role in the project.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "project",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      response: Group,
      status: 200,
      handler: async ({ project, href }, { projects }) =>
        presentGroup(project, await projects.clusterCount(project.id), href),
    },
  },
});
