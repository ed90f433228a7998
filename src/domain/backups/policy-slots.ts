import type { BackupPolicy, PolicyItem } from "../../ports/metadata/backup-policy.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A monthly item with this interval means the last day of the month, whichever it is. */
export const lastDayOfMonth = 40;

/** The last time at or before `atMs` at which the item wants a snapshot. */
export function latestSlotAtMs(item: PolicyItem, referenceOfDayMs: number, atMs: number): number {
  if (item.frequencyType === "hourly") {
    const stepMs = item.frequencyInterval * hourMs;
    return referenceOfDayMs + Math.floor((atMs - referenceOfDayMs) / stepMs) * stepMs;
  }
  // Days since the epoch: the last one whose reference time has come.
  const day = Math.floor((atMs - referenceOfDayMs) / dayMs);
  return referenceOfDayMs + latestDay(item, day) * dayMs;
}

/** The first time after `atMs` at which the item wants a snapshot. */
export function nextSlotAtMs(item: PolicyItem, referenceOfDayMs: number, atMs: number): number {
  const latestAtMs = latestSlotAtMs(item, referenceOfDayMs, atMs);
  switch (item.frequencyType) {
    case "hourly":
      return latestAtMs + item.frequencyInterval * hourMs;
    case "daily":
      return latestAtMs + dayMs;
    case "weekly":
      return latestAtMs + 7 * dayMs;
    default: {
      const { year, month } = dateOf(Math.floor(latestAtMs / dayMs));
      const day = item.frequencyType === "monthly" ? dayInMonth(year, month + 1, item) : dayOf(year + 1, month, 1);
      return referenceOfDayMs + day * dayMs;
    }
  }
}

/** The first time after `atMs` at which any item wants a snapshot; undefined for a policy without items. */
export function nextSlotOfPolicyAtMs({ items, referenceOfDayMs }: BackupPolicy, atMs: number): number | undefined {
  if (items.length === 0) return undefined;
  return Math.min(...items.map((item) => nextSlotAtMs(item, referenceOfDayMs, atMs)));
}

function latestDay(item: PolicyItem, day: number): number {
  const { year, month } = dateOf(day);
  switch (item.frequencyType) {
    case "weekly": {
      // The first day of the epoch was a Thursday; 1 is Monday.
      const weekday = modulo(day + 3, 7) + 1;
      return day - modulo(weekday - item.frequencyInterval, 7);
    }
    case "monthly": {
      const ofMonth = dayInMonth(year, month, item);
      return ofMonth <= day ? ofMonth : dayInMonth(year, month - 1, item);
    }
    case "yearly": {
      const ofYear = dayOf(year, item.frequencyInterval - 1, 1);
      return ofYear <= day ? ofYear : dayOf(year - 1, item.frequencyInterval - 1, 1);
    }
    default:
      return day;
  }
}

/** The item's day of a month, in days since the epoch. Months count from 0 and may lie outside of the year. */
function dayInMonth(year: number, month: number, { frequencyInterval }: PolicyItem): number {
  return frequencyInterval === lastDayOfMonth ? dayOf(year, month + 1, 0) : dayOf(year, month, frequencyInterval);
}

function dayOf(year: number, month: number, dayOfMonth: number): number {
  return Date.UTC(year, month, dayOfMonth) / dayMs;
}

function dateOf(day: number): { readonly year: number; readonly month: number } {
  const date = new Date(day * dayMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() };
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
