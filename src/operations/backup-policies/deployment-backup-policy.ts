import { type Static, Type } from "typebox";
import type { DeploymentPolicy } from "../../domain/backups/backup-policy-service.ts";
import { referenceOf } from "../../domain/backups/changed-policy.ts";
import { frequencies, isSnapshotPlanned } from "../../domain/backups/policy.ts";
import { DateTimeText, deploymentPath, type Href, Link, ObjectIdText, presentTime } from "../shapes.ts";

const FrequencyType = Type.Enum(frequencies);
const RetentionUnit = Type.Enum(["hours", "days", "weeks", "months", "years"]);

/** What an item says besides its id. */
export const policyItemAttributes = {
  frequencyInterval: Type.Integer({
    description:
      "hourly: every 1, 2, 4, 6, 8 or 12 hours; daily: 1; weekly: the day, 1 (Monday) to 7; monthly: the day, 1 to 28, or 40, the last one; yearly: the month, 1 to 12, on its first day.",
  }),
  frequencyType: FrequencyType,
  retentionUnit: RetentionUnit,
  retentionValue: Type.Integer({ description: "Months and years are those of the calendar." }),
};

export const ExtraRetentionItem = Type.Object(
  {
    frequencyType: Type.Enum([...frequencies, "ondemand"]),
    retentionDays: Type.Integer({
      description: "Days that snapshots of this frequency are kept beyond what their item says.",
    }),
  },
  { additionalProperties: false },
);

/** The backup policy of a deployment of any kind. All times are UTC. */
export const DeploymentBackupPolicy = Type.Object(
  {
    deploymentName: Type.String(),
    drillEveryDays: Type.Integer({
      description: "A snapshot is restored on trial when none was for so many days; 0: never by schedule.",
    }),
    extraRetention: Type.Array(ExtraRetentionItem),
    id: ObjectIdText,
    isOwn: Type.Boolean({ description: "False: the policy of the deployment's kind counts." }),
    items: Type.Array(Type.Object({ id: ObjectIdText, ...policyItemAttributes })),
    keepNewest: Type.Integer({ description: "So many newest scheduled snapshots stay whatever their age." }),
    links: Type.Array(Link),
    nextSnapshot: Type.Optional(
      Type.Unsafe<string>({ ...DateTimeText, description: "Absent while there are no items." }),
    ),
    referenceHourOfDay: Type.Integer({ description: "Hour from which every item counts." }),
    referenceMinuteOfHour: Type.Integer(),
    restoreWindowDays: Type.Integer({ description: "Kept for point in time restores, which are not built yet." }),
  },
  { $id: "DeploymentBackupPolicy" },
);

export function presentDeploymentBackupPolicy(
  { deployment, policy }: DeploymentPolicy,
  href: Href,
): Static<typeof DeploymentBackupPolicy> {
  const { hourOfDay, minuteOfHour } = referenceOf(policy.referenceOfDayMs);
  const self = `${deploymentPath(deployment.projectId, deployment.name)}/backupPolicy`;
  return {
    deploymentName: deployment.name,
    drillEveryDays: policy.drillEveryDays,
    extraRetention: policy.extraRetention.map((extra) => ({ ...extra })),
    id: policy.id,
    isOwn: deployment.backupPolicy !== undefined,
    items: policy.items.map((item) => ({ ...item })),
    keepNewest: policy.keepNewest,
    links: [{ href: href(self), rel: "self" }],
    ...(isSnapshotPlanned(deployment) && { nextSnapshot: presentTime(deployment.nextSnapshotAtMs) }),
    referenceHourOfDay: hourOfDay,
    referenceMinuteOfHour: minuteOfHour,
    restoreWindowDays: policy.restoreWindowDays,
  };
}
