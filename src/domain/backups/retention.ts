import type { BackupPolicy, PolicyItem, RetentionUnit } from "../../ports/metadata/backup-policy.ts";
import type { SnapshotRecord } from "../../ports/metadata/snapshot-records.ts";
import { frequencies } from "./policy.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const minimumRetentionInDays = 1;
export const maximumRetentionInDays = 3650;

/** What a snapshot taken for some items of a policy is called, and how long it is kept. */
export type ScheduledRetention = Pick<SnapshotRecord, "frequencyType" | "retentionMs" | "policyItemIds" | "newestKept">;

/** A snapshot that satisfies several items is kept as long as the longest says, and named by that one; among equals the rarest names it. There must be an item. */
export function scheduledRetention(
  policy: BackupPolicy,
  items: readonly PolicyItem[],
  fromMs: number,
): ScheduledRetention {
  const ends = items.map((item) => ({ item, retentionMs: retentionOf(policy, item, fromMs) }));
  const [longest] = ends.toSorted(
    (one, other) => other.retentionMs - one.retentionMs || rarity(other.item) - rarity(one.item),
  );
  if (longest === undefined) throw new Error("A scheduled snapshot has to be taken for something.");
  return {
    frequencyType: longest.item.frequencyType,
    retentionMs: longest.retentionMs,
    policyItemIds: items.map(({ id }) => id),
    newestKept: policy.keepNewest,
  };
}

function retentionOf(policy: BackupPolicy, item: PolicyItem, fromMs: number): number {
  const endMs = addDuration(fromMs, item.retentionUnit, item.retentionValue);
  return endMs - fromMs + extraRetentionMs(policy, item.frequencyType);
}

/** What a policy adds to snapshots of a frequency. */
export function extraRetentionMs(
  { extraRetention }: Pick<BackupPolicy, "extraRetention">,
  frequencyType: SnapshotRecord["frequencyType"],
): number {
  return dayMs * (extraRetention.find((extra) => extra.frequencyType === frequencyType)?.retentionDays ?? 0);
}

/** Months and years are those of the calendar: a month after 31 January is the last day of February, at the same time of day. */
export function addDuration(fromMs: number, unit: RetentionUnit, value: number): number {
  switch (unit) {
    case "hours":
      return fromMs + value * hourMs;
    case "days":
      return fromMs + value * dayMs;
    case "weeks":
      return fromMs + value * 7 * dayMs;
    default: {
      const from = new Date(fromMs);
      const months = from.getUTCMonth() + value * (unit === "years" ? 12 : 1);
      const lastDay = new Date(Date.UTC(from.getUTCFullYear(), months + 1, 0)).getUTCDate();
      const day = Math.min(from.getUTCDate(), lastDay);
      return Date.UTC(from.getUTCFullYear(), months, day) + (((fromMs % dayMs) + dayMs) % dayMs);
    }
  }
}

/** Whether a snapshot on demand can be kept that long: whole days, 1 to 3650. */
export function isRetentionInDays(days: number): boolean {
  return Number.isInteger(days) && days >= minimumRetentionInDays && days <= maximumRetentionInDays;
}

export function onDemandRetentionMs(retentionInDays: number): number {
  return retentionInDays * dayMs;
}

/** Counted from the request while the snapshot is under way, from its completion when it is completed. */
export function expiresAtMs(fromMs: number, retentionMs: number): number {
  return fromMs + retentionMs;
}

function rarity({ frequencyType }: PolicyItem): number {
  return frequencies.indexOf(frequencyType);
}
