import { Type } from "typebox";
import { presetNames } from "../../domain/backups/policy.ts";
import { defineOperation } from "../define-operation.ts";
import { anyDeploymentName, groupId } from "../parameters.ts";
import { deploymentRoute } from "../shapes.ts";
import {
  DeploymentBackupPolicy,
  ExtraRetentionItem,
  policyItemAttributes,
  presentDeploymentBackupPolicy,
} from "./deployment-backup-policy.ts";

/** `PATCH .../deployments/{deploymentName}/backupPolicy`: Telamon's own. */
export const updateGroupDeploymentBackupPolicy = defineOperation({
  operationId: "updateGroupDeploymentBackupPolicy",
  tag: "Backup Policies",
  summary: "Change the backup policy of one deployment",
  description:
    "What is left out stays. A snapshot that satisfies several items is kept as long as the longest says. Needs Project Owner or Backup Manager.",
  method: "PATCH",
  route: `${deploymentRoute}/backupPolicy`,
  extension: true,
  access: { scope: "project", anyRole: ["GROUP_OWNER", "GROUP_BACKUP_MANAGER"] },
  rateLimit: "cloudBackups",
  path: Type.Object({ groupId, deploymentName: anyDeploymentName }),
  versions: {
    "2023-01-01": {
      request: Type.Object(
        {
          deleteSnapshots: Type.Optional(
            Type.Boolean({ description: "Snapshots expire now that were taken for items of which none is left." }),
          ),
          drillEveryDays: Type.Optional(Type.Integer()),
          extraRetention: Type.Optional(Type.Array(ExtraRetentionItem, { maxItems: 6 })),
          items: Type.Optional(
            Type.Array(
              Type.Object(
                { id: Type.Optional(Type.String({ maxLength: 64 })), ...policyItemAttributes },
                { additionalProperties: false },
              ),
              { description: "All of them: what is left out is dropped, one without an id is new." },
            ),
          ),
          keepNewest: Type.Optional(Type.Integer()),
          preset: Type.Optional(
            Type.Enum(presetNames, {
              description: "The policy to begin with, as Atlas's kinds of deployment have it.",
            }),
          ),
          referenceHourOfDay: Type.Optional(Type.Integer()),
          referenceMinuteOfHour: Type.Optional(Type.Integer()),
          restoreWindowDays: Type.Optional(Type.Integer()),
          updateSnapshots: Type.Optional(
            Type.Boolean({ description: "Snapshots taken before are kept as long as the new policy says." }),
          ),
        },
        { additionalProperties: false },
      ),
      response: DeploymentBackupPolicy,
      status: 200,
      handler: async ({ path, body, href }, { backupPolicies }) =>
        presentDeploymentBackupPolicy(await backupPolicies.update(path.groupId, path.deploymentName, body), href),
    },
  },
});
