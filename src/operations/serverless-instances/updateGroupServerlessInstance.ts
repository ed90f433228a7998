import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";
import { ResourceTags } from "../shapes.ts";
import { presentServerlessInstance, ServerlessInstanceDescription } from "./serverless-instance-description.ts";

/** `PATCH /groups/{groupId}/serverless/{name}`: what is left out stays. */
export const updateGroupServerlessInstance = defineOperation({
  operationId: "updateGroupServerlessInstance",
  otherNames: ["updateServerlessInstance"],
  tag: "Serverless Instances",
  summary: "Update one serverless instance",
  description: "Answers while it is UPDATING. Needs Project Owner or Cluster Manager.",
  method: "PATCH",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{name}",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_CLUSTER_MANAGER"] },
  rateLimit: "clusters",
  path: Type.Object({ groupId, name: instanceName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          links: Type.Optional(Type.Array(Type.Unknown())),
          serverlessBackupOptions: Type.Optional(
            Type.Object(
              { serverlessContinuousBackupEnabled: Type.Optional(Type.Boolean()) },
              { additionalProperties: false },
            ),
          ),
          tags: Type.Optional(ResourceTags),
          terminationProtectionEnabled: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
      response: ServerlessInstanceDescription,
      status: 200,
      handler: async ({ path, body, href }, { serverlessInstances, hosting }) => {
        const instance = await serverlessInstances.update(path.groupId, path.name, {
          continuousBackupEnabled: body.serverlessBackupOptions?.serverlessContinuousBackupEnabled,
          terminationProtectionEnabled: body.terminationProtectionEnabled,
          tags: body.tags,
        });
        return presentServerlessInstance(instance, hosting, href);
      },
    },
  },
});
