import { Type } from "typebox";
import { visibleProjects } from "../../domain/access/roles.ts";
import { defineListOperation } from "../define-operation.ts";
import { Group, presentListedGroup } from "./group.ts";

/** `GET /groups`: the projects the caller has a role in, by name. */
export const listGroups = defineListOperation({
  operationId: "listGroups",
  otherNames: ["listProjects"],
  tag: "Projects",
  summary: "Return all projects",
  description: "Those the caller has a role in, by name in byte order.",
  method: "GET",
  route: "/api/atlas/v2/groups",
  access: { scope: "caller" },
  rateLimit: "projects",
  path: Type.Object({}),
  versions: {
    "2023-01-01": {
      response: Group,
      status: 200,
      handler: async ({ actor, page, href }, { projects }) => {
        const found = await projects.list(visibleProjects(actor), page);
        const items = await Promise.all(
          found.items.map(async (project) =>
            presentListedGroup(project, await projects.clusterCount(project.id), href),
          ),
        );
        return { ...found, items };
      },
    },
  },
});
