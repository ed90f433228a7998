import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { ObjectIdText, ResourceTags } from "../shapes.ts";
import { Group, presentGroup } from "./group.ts";

/** `POST /groups`. */
export const createGroup = defineOperation({
  operationId: "createGroup",
  otherNames: ["createProject"],
  tag: "Projects",
  summary: "Create one project",
  description: "Needs Organization Owner or Organization Project Creator. Names are unique within the organization.",
  method: "POST",
  route: "/api/atlas/v2/groups",
  access: { scope: "caller" },
  rateLimit: "projects",
  path: Type.Object({}),
  query: Type.Object({ projectOwnerId: Type.Optional(ObjectIdText) }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          clusterCount: Type.Optional(
            Type.Integer({ description: "Ignored, as every read-only field; clients send it back." }),
          ),
          created: Type.Optional(Type.String()),
          id: Type.Optional(Type.String()),
          links: Type.Optional(Type.Array(Type.Unknown())),
          name: Type.String({ maxLength: 1000 }),
          orgId: Type.String({ maxLength: 64 }),
          regionUsageRestrictions: Type.Optional(
            Type.String({ description: "Kept for clients that send it; without effect." }),
          ),
          tags: Type.Optional(ResourceTags),
          withDefaultAlertsSettings: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
      response: Group,
      // The description of the API says 200; recorded answers are 201.
      status: 201,
      handler: async ({ actor, body, href }, { access, projects }) => {
        access.requireGroupCreator(actor, body.orgId);
        const project = await projects.create({
          name: body.name,
          organizationId: body.orgId,
          tags: body.tags,
          withDefaultAlertsSettings: body.withDefaultAlertsSettings,
        });
        const { tags, ...shown } = presentGroup(project, 0, href);
        return project.tags === undefined ? shown : { ...shown, ...(tags === undefined ? {} : { tags }) };
      },
    },
  },
});
