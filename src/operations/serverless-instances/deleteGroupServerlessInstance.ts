import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";

/** `DELETE /groups/{groupId}/serverless/{name}`: its snapshots go with it. */
export const deleteGroupServerlessInstance = defineOperation({
  operationId: "deleteGroupServerlessInstance",
  otherNames: ["deleteServerlessInstance"],
  tag: "Serverless Instances",
  summary: "Remove one serverless instance",
  description:
    "Deletes its data and its snapshots. Not under termination protection. Needs Project Owner or Cluster Manager.",
  method: "DELETE",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{name}",
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_CLUSTER_MANAGER"] },
  rateLimit: "clusters",
  path: Type.Object({ groupId, name: instanceName }),
  versions: {
    "2023-01-01": {
      // The description of the API says 204; recorded answers are 202 with an empty object.
      response: Type.Object({}),
      status: 202,
      handler: async ({ path }, { serverlessInstances }) => {
        await serverlessInstances.delete(path.groupId, path.name);
        return {};
      },
    },
  },
});
