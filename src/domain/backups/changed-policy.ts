import type { BackupPolicy, ExtraRetention, PolicyItem } from "../../ports/metadata/backup-policy.ts";
import {
  frequencyTypeChanged,
  invalidBackupPolicy,
  invalidPolicyId,
  invalidPolicyItemId,
  invalidReferenceHour,
  invalidReferenceMinute,
  invalidRestoreWindow,
  noPolicyItems,
} from "./policy-errors.ts";
import { lastDayOfMonth } from "./policy-slots.ts";
import { addDuration } from "./retention.ts";

/** What is left out stays as it is. */
export interface PolicyChanges {
  /** When given it must be the policy's. */
  readonly policyId?: string | undefined;
  /** All of them: an item that is left out is dropped, one without an id is new. */
  readonly items?: readonly (Omit<PolicyItem, "id"> & { readonly id?: string | undefined })[] | undefined;
  readonly referenceHourOfDay?: number | undefined;
  readonly referenceMinuteOfHour?: number | undefined;
  readonly restoreWindowDays?: number | undefined;
  readonly extraRetention?: readonly ExtraRetention[] | undefined;
  readonly keepNewest?: number | undefined;
  readonly drillEveryDays?: number | undefined;
}

export const itemsMax = 50;
export const keepNewestMax = 100;
export const drillEveryDaysMax = 3650;
/** Snapshots are kept for a hundred years at most, extra days included. */
const retentionMaxMs = 100 * 366 * 86_400_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;

const intervals: Readonly<Record<PolicyItem["frequencyType"], readonly number[]>> = {
  // Those that divide a day: the others would begin anew every midnight.
  hourly: [1, 2, 4, 6, 8, 12],
  daily: [1],
  weekly: [1, 2, 3, 4, 5, 6, 7],
  monthly: [...Array.from({ length: 28 }, (_, index) => index + 1), lastDayOfMonth],
  yearly: Array.from({ length: 12 }, (_, index) => index + 1),
};

/** The policy with the changes. Throws the API's errors of a policy: `INVALID_BACKUP_POLICY`, `INVALID_POLICY_ID`, `INVALID_POLICY_ITEM_ID` and the others of `policy-errors.ts`. */
export function changedPolicy(policy: BackupPolicy, changes: PolicyChanges, newId: () => string): BackupPolicy {
  if (changes.policyId !== undefined && changes.policyId !== policy.id) throw invalidPolicyId(changes.policyId);
  const changed: BackupPolicy = {
    ...policy,
    ...(changes.items !== undefined && { items: changedItems(policy.items, changes.items, newId) }),
    referenceOfDayMs: changedReferenceMs(policy.referenceOfDayMs, changes),
    ...(changes.restoreWindowDays !== undefined && { restoreWindowDays: changes.restoreWindowDays }),
    ...(changes.extraRetention !== undefined && { extraRetention: changes.extraRetention }),
    ...(changes.keepNewest !== undefined && { keepNewest: changes.keepNewest }),
    ...(changes.drillEveryDays !== undefined && { drillEveryDays: changes.drillEveryDays }),
  };
  check(changed);
  return changed;
}

function changedItems(
  before: readonly PolicyItem[],
  given: NonNullable<PolicyChanges["items"]>,
  newId: () => string,
): readonly PolicyItem[] {
  if (given.length === 0) throw noPolicyItems();
  if (given.length > itemsMax) throw invalidBackupPolicy(`a policy has at most ${itemsMax} items`);
  const taken = new Set<string>();
  return given.map(({ id, frequencyType, frequencyInterval, retentionUnit, retentionValue }) => {
    if (id !== undefined) {
      const known = before.find((item) => item.id === id);
      if (known === undefined || taken.has(id)) throw invalidPolicyItemId(id);
      if (known.frequencyType !== frequencyType) throw frequencyTypeChanged();
      taken.add(id);
    }
    return { id: id ?? newId(), frequencyType, frequencyInterval, retentionUnit, retentionValue };
  });
}

function changedReferenceMs(beforeMs: number, { referenceHourOfDay, referenceMinuteOfHour }: PolicyChanges): number {
  if (referenceHourOfDay === undefined && referenceMinuteOfHour === undefined) return beforeMs;
  const before = referenceOf(beforeMs);
  const hourOfDay = referenceHourOfDay ?? before.hourOfDay;
  const minuteOfHour = referenceMinuteOfHour ?? before.minuteOfHour;
  if (!isWithin(hourOfDay, 0, 23)) throw invalidReferenceHour();
  if (!isWithin(minuteOfHour, 0, 59)) throw invalidReferenceMinute();
  // Who sends back what they were shown moves nothing.
  if (hourOfDay === before.hourOfDay && minuteOfHour === before.minuteOfHour) return beforeMs;
  return hourOfDay * hourMs + minuteOfHour * minuteMs;
}

/** The reference time as the API shows it; seconds are kept and not shown. */
export function referenceOf(referenceOfDayMs: number): { readonly hourOfDay: number; readonly minuteOfHour: number } {
  return {
    hourOfDay: Math.floor(referenceOfDayMs / hourMs),
    minuteOfHour: Math.floor((referenceOfDayMs % hourMs) / minuteMs),
  };
}

function check({ items, restoreWindowDays, extraRetention, keepNewest, drillEveryDays }: BackupPolicy): void {
  if (!isWithin(restoreWindowDays, 1, 36_500)) throw invalidRestoreWindow();
  if (!isWithin(keepNewest, 1, keepNewestMax))
    throw invalidBackupPolicy(`the number of newest snapshots that stay must be 1 to ${keepNewestMax}`);
  if (!isWithin(drillEveryDays, 0, drillEveryDaysMax))
    throw invalidBackupPolicy(`the days between two drills must be 0 (never) to ${drillEveryDaysMax}`);
  for (const { frequencyType, retentionDays } of extraRetention)
    if (!isWithin(retentionDays, 1, 36_500))
      throw invalidBackupPolicy(`extra retention of ${frequencyType} snapshots must be 1 to 36500 days`);
  if (new Set(extraRetention.map(({ frequencyType }) => frequencyType)).size < extraRetention.length)
    throw invalidBackupPolicy("extra retention can be given once for each frequency");
  for (const { frequencyType, frequencyInterval, retentionUnit, retentionValue } of items) {
    if (!intervals[frequencyType].includes(frequencyInterval))
      throw invalidBackupPolicy(`${frequencyInterval} is no interval of ${frequencyType} snapshots`);
    if (
      !Number.isInteger(retentionValue) ||
      retentionValue < 1 ||
      addDuration(0, retentionUnit, retentionValue) > retentionMaxMs
    )
      throw invalidBackupPolicy("snapshots are kept from one unit of time to 100 years");
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
