import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { ResourceTags } from "../shapes.ts";
import { presentServerlessInstance, ServerlessInstanceDescription } from "./serverless-instance-description.ts";

/** `POST /groups/{groupId}/serverless`. */
export const createGroupServerlessInstance = defineOperation({
  operationId: "createGroupServerlessInstance",
  otherNames: ["createServerlessInstance"],
  tag: "Serverless Instances",
  summary: "Create one serverless instance",
  description: "Answers while it is CREATING; it is ready when IDLE. Needs Project Owner or Cluster Manager.",
  method: "POST",
  route: "/api/atlas/v2/groups/{groupId}/serverless",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_CLUSTER_MANAGER"] },
  rateLimit: "clusters",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          links: Type.Optional(Type.Array(Type.Unknown())),
          name: Type.String({ maxLength: 1000 }),
          providerSettings: Type.Object(
            {
              backingProviderName: Type.String({ maxLength: 20, description: "AWS, AZURE or GCP." }),
              providerName: Type.Optional(Type.Literal("SERVERLESS")),
              regionName: Type.String({ maxLength: 64 }),
            },
            { additionalProperties: false },
          ),
          serverlessBackupOptions: Type.Optional(
            Type.Object(
              { serverlessContinuousBackupEnabled: Type.Optional(Type.Boolean()) },
              { additionalProperties: false },
            ),
          ),
          stateName: Type.Optional(Type.String({ description: "Ignored: read-only." })),
          tags: Type.Optional(ResourceTags),
          terminationProtectionEnabled: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
      response: ServerlessInstanceDescription,
      status: 201,
      handler: async ({ path, body, href }, { serverlessInstances, hosting }) => {
        const instance = await serverlessInstances.create(path.groupId, {
          name: body.name,
          backingProviderName: body.providerSettings.backingProviderName,
          regionName: body.providerSettings.regionName,
          continuousBackupEnabled: body.serverlessBackupOptions?.serverlessContinuousBackupEnabled,
          terminationProtectionEnabled: body.terminationProtectionEnabled,
          tags: body.tags,
        });
        return presentServerlessInstance(instance, hosting, href, true);
      },
    },
  },
});
