import type { BackupPolicy, PolicyItem } from "../../ports/metadata/backup-policy.ts";
import { type DeploymentRecord, noSnapshotPlannedAtMs } from "../../ports/metadata/deployment-records.ts";

const dayMs = 86_400_000;

/** Rarest last. */
export const frequencies = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;

/** Policies that can be chosen by name, as Atlas has them for its kinds of deployment (serverless backups, flex backups, and 102 recorded schedules of dedicated clusters). */
export const presetNames = ["SERVERLESS_BASIC", "SERVERLESS_CONTINUOUS", "FLEX", "DEDICATED"] as const;
export type PresetName = (typeof presetNames)[number];

type Preset = Pick<BackupPolicy, "keepNewest" | "restoreWindowDays"> & {
  readonly items: readonly Omit<PolicyItem, "id">[];
};

const item = (
  frequencyType: PolicyItem["frequencyType"],
  frequencyInterval: number,
  retentionValue: number,
  retentionUnit: PolicyItem["retentionUnit"],
): Omit<PolicyItem, "id"> => ({ frequencyType, frequencyInterval, retentionUnit, retentionValue });

const presets: Readonly<Record<PresetName, Preset>> = {
  // The two newest: 12 hours at one every 6 hours, and the two themselves whatever the clock says.
  SERVERLESS_BASIC: { items: [item("hourly", 6, 12, "hours")], keepNewest: 2, restoreWindowDays: 1 },
  SERVERLESS_CONTINUOUS: {
    items: [item("hourly", 6, 3, "days"), item("daily", 1, 35, "days")],
    keepNewest: 1,
    restoreWindowDays: 3,
  },
  FLEX: { items: [item("daily", 1, 8, "days")], keepNewest: 1, restoreWindowDays: 1 },
  DEDICATED: {
    items: [
      item("hourly", 6, 7, "days"),
      item("daily", 1, 7, "days"),
      item("weekly", 6, 4, "weeks"),
      item("monthly", 40, 12, "months"),
      item("yearly", 12, 1, "years"),
    ],
    keepNewest: 1,
    restoreWindowDays: 7,
  },
};

/** Days between two trials of a deployment's snapshots, where nobody said otherwise. */
const drillEveryDaysDefault = 7;

/** The policy that counts: the deployment's own, or that of its kind. */
export function policyOf(
  deployment: Pick<DeploymentRecord, "id" | "kind" | "createdAtMs" | "continuousBackupEnabled" | "backupPolicy">,
): BackupPolicy {
  return deployment.backupPolicy ?? presetPolicy(presetOf(deployment), deployment);
}

/** Whether a scheduled snapshot is ahead: a policy without items plans none. */
export function isSnapshotPlanned({ nextSnapshotAtMs }: Pick<DeploymentRecord, "nextSnapshotAtMs">): boolean {
  return nextSnapshotAtMs !== noSnapshotPlannedAtMs;
}

/** The policy of a kind, counted from the deployment's creation, with ids that stay the same however often it is asked for. */
export function presetPolicy(
  name: PresetName,
  { id, createdAtMs }: Pick<DeploymentRecord, "id" | "createdAtMs">,
): BackupPolicy {
  const { items, keepNewest, restoreWindowDays } = presets[name];
  return {
    id: following(id, 1),
    // By frequency, so that an item stays the same when another policy of these is chosen.
    items: items.map((each) => ({ id: following(id, 2 + frequencies.indexOf(each.frequencyType)), ...each })),
    referenceOfDayMs: ((createdAtMs % dayMs) + dayMs) % dayMs,
    restoreWindowDays,
    extraRetention: [],
    keepNewest,
    drillEveryDays: drillEveryDaysDefault,
  };
}

function presetOf({
  kind,
  continuousBackupEnabled,
}: Pick<DeploymentRecord, "kind" | "continuousBackupEnabled">): PresetName {
  if (kind === "external") return "DEDICATED";
  return continuousBackupEnabled ? "SERVERLESS_CONTINUOUS" : "SERVERLESS_BASIC";
}

/** The id that many after this one. */
function following(id: string, count: number): string {
  const counter = (Number.parseInt(id.slice(18), 16) + count) % 0x1_00_00_00;
  return id.slice(0, 18) + counter.toString(16).padStart(6, "0");
}
