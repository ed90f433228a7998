import { Type } from "typebox";
import { defineListOperation, mapPage } from "../define-operation.ts";
import { groupId } from "../parameters.ts";
import { presentServerlessInstance, ServerlessInstanceDescription } from "./serverless-instance-description.ts";

/** `GET /groups/{groupId}/serverless`: oldest first. */
export const listGroupServerlessInstances = defineListOperation({
  operationId: "listGroupServerlessInstances",
  otherNames: ["listServerlessInstances"],
  tag: "Serverless Instances",
  summary: "Return all serverless instances of one project",
  description: "Needs Project Read Only.",
  method: "GET",
  route: "/api/atlas/v2/groups/{groupId}/serverless",
  access: { scope: "project", anyRole: ["GROUP_READ_ONLY"] },
  rateLimit: "clusters",
  path: Type.Object({ groupId }),
  versions: {
    "2023-01-01": {
      response: ServerlessInstanceDescription,
      status: 200,
      handler: async ({ path, page, href }, { serverlessInstances, hosting }) =>
        mapPage(await serverlessInstances.list(path.groupId, page), (instance) =>
          presentServerlessInstance(instance, hosting, href),
        ),
    },
  },
});
