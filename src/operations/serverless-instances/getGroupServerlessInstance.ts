import { Type } from "typebox";
import { defineOperation } from "../define-operation.ts";
import { groupId, instanceName } from "../parameters.ts";
import { presentServerlessInstance, ServerlessInstanceDescription } from "./serverless-instance-description.ts";

/** `GET /groups/{groupId}/serverless/{name}`. */
export const getGroupServerlessInstance = defineOperation({
  operationId: "getGroupServerlessInstance",
  otherNames: ["getServerlessInstance"],
  tag: "Serverless Instances",
  summary: "Return one serverless instance",
  description: "Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/serverless/{name}",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "clusters",
  path: Type.Object({ groupId, name: instanceName }),
  versions: {
    "2023-01-01": {
      response: ServerlessInstanceDescription,
      status: 200,
      handler: async ({ path, href }, { serverlessInstances, hosting }) =>
        presentServerlessInstance(await serverlessInstances.get(path.groupId, path.name), hosting, href),
    },
  },
});
