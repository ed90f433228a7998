import { Type } from "typebox";
import { restoreRoles } from "../../domain/access/authorization.ts";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import { DeploymentRestoreJob, presentDeploymentRestoreJob } from "./deployment-restore-job.ts";

/** `POST .../deployments/{deploymentName}/restoreJobs`: Telamon's own. */
export const createGroupDeploymentRestoreJob = defineOperation({
  operationId: "createGroupDeploymentRestoreJob",
  tag: "Restores",
  summary: "Restore one snapshot of one deployment",
  description:
    "Of a deployment of any kind, into one of any kind: into a serverless instance, whose data is replaced at one instant after the restored data was read back and found equal; or into an external deployment, where it is loaded and found equal under other names and then put in place, one collection at a time: until it is finished, clients see some of the old and some of the new. Users and roles are not restored. Needs Project Owner or Backup Manager here and on the target's project.",
  method: "POST",
  route: `${deploymentRoute}/restoreJobs`,
  extension: true,
  access: { scope: "project", anyRole: restoreRoles },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          replaceExisting: Type.Optional(
            Type.Boolean({
              description:
                "Only for external targets: confirms that everything they hold, in every database but local, config and what is the server's own in admin, is dropped. Without it only an empty one is restored into.",
            }),
          ),
          snapshotId: Type.String({ maxLength: 64 }),
          targetGroupId: Type.Optional(
            Type.String({ maxLength: 64, description: "Project of the target; this one when left out." }),
          ),
          targetKind: Type.Union([Type.Literal("serverless"), Type.Literal("external")], {
            description: "A serverless instance or an external deployment.",
          }),
          targetName: Type.String({ maxLength: 64, description: "Name of the deployment whose data is replaced." }),
        },
        { additionalProperties: false },
      ),
      response: DeploymentRestoreJob,
      status: 200,
      handler: async ({ path, body, actor, href }, { deploymentRestoreJobs, access }) =>
        presentDeploymentRestoreJob(
          await deploymentRestoreJobs.create(
            path.groupId,
            path.deploymentName,
            {
              deliveryType: "automated",
              snapshotId: body.snapshotId,
              targetProjectId: body.targetGroupId ?? path.groupId,
              targetName: body.targetName,
              targetKind: body.targetKind,
              replacesExisting: body.replaceExisting,
            },
            (projectId) => access.mayRestoreTo(actor, projectId),
          ),
          path.groupId,
          path.deploymentName,
          href,
        ),
    },
  },
});
