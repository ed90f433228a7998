import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { Link, ObjectIdText } from "../shapes.ts";

const Role = Type.Object({
  groupId: Type.Optional(ObjectIdText),
  orgId: Type.Optional(ObjectIdText),
  roleName: Type.String(),
});

/** `GET /api/atlas/v2`: whether the service answers, and as whom it knows the caller. */
export const getSystemStatus = defineOperation({
  operationId: "getSystemStatus",
  tag: "Root",
  summary: "Return the status of this service",
  description: "Answers who the caller is. Clients use it to see whether an address and credentials are good.",
  method: "GET",
  route: "/api/atlas/v2",
  access: { scope: "caller" },
  rateLimit: "root",
  path: Type.Object({}),
  versions: {
    "2023-01-01": {
      response: Type.Object({
        apiKey: Type.Object({
          accessList: Type.Array(Type.Unknown()),
          id: Type.String(),
          publicKey: Type.String(),
          roles: Type.Array(Role),
        }),
        appName: Type.Literal("MongoDB Atlas", { description: "Clients compare it literally." }),
        build: Type.String(),
        links: Type.Array(Link),
        throttling: Type.Boolean(),
      }),
      status: 200,
      handler: async ({ actor, href }, { build }) => ({
        apiKey: {
          accessList: [],
          id: actor.principalId,
          publicKey: actor.publicName,
          roles: actor.roles.map((role) => ({
            ...(role.scope === "project" ? { groupId: role.scopeId } : { orgId: role.scopeId }),
            roleName: role.roleName,
          })),
        },
        appName: "MongoDB Atlas" as const,
        build,
        links: [{ href: href("/api/atlas/v2"), rel: "self" }],
        throttling: false,
      }),
    },
  },
});
