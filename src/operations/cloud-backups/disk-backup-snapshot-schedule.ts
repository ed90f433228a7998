import { type Static, type TSchema, Type } from "typebox";
import type { DeploymentPolicy, PolicyUpdate } from "../../domain/backups/backup-policy-service.ts";
import { referenceOf } from "../../domain/backups/changed-policy.ts";
import { frequencies, isSnapshotPlanned } from "../../domain/backups/policy.ts";
import { notOnePolicy, scheduleAttributeNotSupported } from "../../domain/backups/policy-errors.ts";
import type { ExtraRetention } from "../../ports/metadata/backup-policy.ts";
import type { OperationVersion } from "../define-operation.ts";
import { DateTimeText, type Href, Link, ObjectIdText, presentTime, relation } from "../shapes.ts";

const FrequencyType = Type.Enum(frequencies);

/** As this API names frequencies of extra retention. */
const extraFrequencies = ["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY", "ON_DEMAND"] as const;
const ExtraRetentionSetting = Type.Object(
  { frequencyType: Type.Enum(extraFrequencies), retentionDays: Type.Integer() },
  { additionalProperties: false },
);

/** When snapshots of a cluster are taken and how long they are kept. */
export const DiskBackupSnapshotSchedule = Type.Object(
  {
    autoExportEnabled: Type.Boolean(),
    clusterId: ObjectIdText,
    clusterName: Type.String(),
    copyPolicyItemsEnabled: Type.Boolean(),
    copySettings: Type.Array(Type.Unknown()),
    extraRetentionSettings: Type.Optional(Type.Array(ExtraRetentionSetting)),
    links: Type.Array(Link),
    nextSnapshot: Type.Optional(DateTimeText),
    policies: Type.Array(
      Type.Object({
        id: ObjectIdText,
        policyItems: Type.Array(
          Type.Object({
            frequencyInterval: Type.Integer({ description: "Weekly: 1 is Monday; monthly: 40 is the last day." }),
            frequencyType: FrequencyType,
            id: ObjectIdText,
            retentionUnit: Type.String({ examples: ["days"] }),
            retentionValue: Type.Integer(),
          }),
        ),
      }),
    ),
    referenceHourOfDay: Type.Integer(),
    referenceMinuteOfHour: Type.Integer(),
    restoreWindowDays: Type.Integer(),
    useOrgAndGroupNamesInExportPrefix: Type.Boolean(),
  },
  { $id: "DiskBackupSnapshotSchedule" },
);

const ignored = Type.Optional(Type.Unknown({ description: "Ignored: read-only." }));
const flag = Type.Optional(Type.Boolean({ description: "Only false: copies and exports are not supported." }));
const emptyList = Type.Optional(Type.Array(Type.Unknown(), { description: "Only empty: copies are not supported." }));

/** What of a schedule can be changed; what a client was shown may be sent back. */
export const DiskBackupSnapshotScheduleUpdate = Type.Object(
  {
    autoCopySettingsEnabled: flag,
    autoExportEnabled: flag,
    clusterId: ignored,
    clusterName: ignored,
    copyPolicyItemsEnabled: flag,
    copySettings: emptyList,
    deleteCopiedBackups: emptyList,
    deleteCopySnapshots: flag,
    deleteSnapshots: Type.Optional(
      Type.Boolean({ description: "Snapshots expire now that were taken for items of which none is left." }),
    ),
    export: Type.Optional(Type.Unknown({ description: "Refused: exports are not supported." })),
    extraRetentionSettings: Type.Optional(Type.Array(ExtraRetentionSetting, { maxItems: 6 })),
    links: ignored,
    nextSnapshot: ignored,
    policies: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.Optional(Type.String({ maxLength: 64 })),
            policyItems: Type.Array(
              Type.Object(
                {
                  frequencyInterval: Type.Integer(),
                  frequencyType: FrequencyType,
                  id: Type.Optional(Type.String({ maxLength: 64 })),
                  retentionUnit: Type.Union(
                    (["days", "weeks", "months", "years"] as const).map((name) => Type.Literal(name)),
                  ),
                  retentionValue: Type.Integer(),
                },
                { additionalProperties: false },
              ),
            ),
          },
          { additionalProperties: false },
        ),
      ),
    ),
    referenceHourOfDay: Type.Optional(Type.Integer()),
    referenceMinuteOfHour: Type.Optional(Type.Integer()),
    restoreWindowDays: Type.Optional(Type.Integer()),
    updateCopySnapshots: flag,
    updateSnapshots: Type.Optional(
      Type.Boolean({ description: "Snapshots taken before are kept as long as the new policy says." }),
    ),
    useOrgAndGroupNamesInExportPrefix: flag,
  },
  { additionalProperties: false },
);

/** Both versions of an operation that answers a schedule: they differ in settings of copies alone. */
export function scheduleVersions<Request extends TSchema>(
  version: OperationVersion<
    { groupId: string; clusterName: string },
    object,
    Request,
    typeof DiskBackupSnapshotSchedule,
    Static<typeof DiskBackupSnapshotSchedule>
  >,
) {
  return { "2023-01-01": version, "2024-08-05": version };
}

const unsupportedFlags = [
  "autoCopySettingsEnabled",
  "autoExportEnabled",
  "copyPolicyItemsEnabled",
  "deleteCopySnapshots",
  "updateCopySnapshots",
  "useOrgAndGroupNamesInExportPrefix",
] as const;

/** Throws `FEATURE_UNSUPPORTED` for what asks for copies or exports, and `INVALID_NUM_OF_POLICIES`. */
export function parseScheduleUpdate(body: Static<typeof DiskBackupSnapshotScheduleUpdate>): PolicyUpdate {
  for (const name of unsupportedFlags) if (body[name] === true) throw scheduleAttributeNotSupported(name);
  for (const name of ["copySettings", "deleteCopiedBackups"] as const)
    if ((body[name]?.length ?? 0) > 0) throw scheduleAttributeNotSupported(name);
  if (body.export !== undefined && body.export !== null) throw scheduleAttributeNotSupported("export");
  if (body.policies !== undefined && body.policies.length !== 1) throw notOnePolicy();
  const policy = body.policies?.[0];
  return {
    policyId: policy?.id,
    items: policy?.policyItems,
    referenceHourOfDay: body.referenceHourOfDay,
    referenceMinuteOfHour: body.referenceMinuteOfHour,
    restoreWindowDays: body.restoreWindowDays,
    extraRetention: body.extraRetentionSettings?.map(({ frequencyType, retentionDays }) => ({
      frequencyType: frequencyType.toLowerCase().replace("_", "") as ExtraRetention["frequencyType"],
      retentionDays,
    })),
    updateSnapshots: body.updateSnapshots,
    deleteSnapshots: body.deleteSnapshots,
  };
}

export function presentSchedule(
  { deployment, policy }: DeploymentPolicy,
  href: Href,
): Static<typeof DiskBackupSnapshotSchedule> {
  const { hourOfDay, minuteOfHour } = referenceOf(policy.referenceOfDayMs);
  const { id, name, projectId } = deployment;
  return {
    autoExportEnabled: false,
    clusterId: id,
    clusterName: name,
    copyPolicyItemsEnabled: false,
    copySettings: [],
    ...(policy.extraRetention.length > 0 && {
      extraRetentionSettings: policy.extraRetention.map(({ frequencyType, retentionDays }) => ({
        frequencyType: extraFrequencies.find((one) => one.replace("_", "") === frequencyType.toUpperCase()) ?? "HOURLY",
        retentionDays,
      })),
    }),
    links: [
      {
        href: href(`/api/atlas/v2/groups/${projectId}/clusters/${encodeURIComponent(name)}/backup/schedule`),
        rel: "self",
      },
      // The vendor's answers name the older API here.
      { href: href(`/api/public/v1.0/groups/${projectId}`), rel: relation("group") },
    ],
    ...(isSnapshotPlanned(deployment) && { nextSnapshot: presentTime(deployment.nextSnapshotAtMs) }),
    policies: [{ id: policy.id, policyItems: policy.items.map((item) => ({ ...item })) }],
    referenceHourOfDay: hourOfDay,
    referenceMinuteOfHour: minuteOfHour,
    restoreWindowDays: policy.restoreWindowDays,
    useOrgAndGroupNamesInExportPrefix: false,
  };
}
