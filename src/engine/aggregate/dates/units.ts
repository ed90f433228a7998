import { failedToParse, located } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";
import { dayAt, dayMs, daysInMonth, isoDayOfWeek, partsOf } from "./calendar.ts";
import { toUtc, type Zone } from "./zone.ts";

export const units = ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"] as const;

export type Unit = (typeof units)[number];

/** Lengths of the units that have always the same, in milliseconds; days and weeks as calendars without changes of clocks have them. */
export const unitMs = {
  week: 7 * dayMs,
  day: dayMs,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
} as const;

const monthsOf = { year: 12, quarter: 3, month: 1 } as const;

/** A unit by name. Throws 9 FailedToParse for others, `code` for what is no string. */
export function unitOf(value: Value, name: string, code: number): Unit {
  if (value.type !== bsonType.string)
    throw located(code, `${name} requires 'unit' to be a string, but got ${typeName(value.type)}`);
  const unit = textOf(value) as Unit;
  if (!units.includes(unit)) throw failedToParse(`unknown time unit value: ${unit}`);
  return unit;
}

const weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** Day of the week by name or three letters, Monday being 1. Throws 9 FailedToParse. */
export function weekdayOf(value: Value, name: string, code: number): number {
  if (value.type !== bsonType.string)
    throw located(code, `${name} requires 'startOfWeek' to be a string, but got ${typeName(value.type)}`);
  const text = textOf(value).toLowerCase();
  const index = weekdays.findIndex((day) => day === text || day.slice(0, 3) === text);
  if (index === -1) throw failedToParse(`unknown day of week value: ${textOf(value)}`);
  return index + 1;
}

export function isMonthly(unit: Unit): unit is keyof typeof monthsOf {
  return unit in monthsOf;
}

/** The moment an amount of units later. Days and longer go by the zone's calendar; a day that a month has not becomes its last. */
export function addUnits(utcMs: number, unit: Unit, amount: number, zone: Zone): number {
  if (!isMonthly(unit) && unit !== "day" && unit !== "week") return utcMs + amount * unitMs[unit];
  const localMs = utcMs + zone.offsetAt(utcMs);
  if (!isMonthly(unit)) return toUtc(localMs + amount * unitMs[unit], zone);
  const parts = partsOf(localMs);
  const months = parts.year * 12 + (parts.month - 1) + amount * monthsOf[unit];
  const [year, month] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
  const day = Math.min(parts.day, daysInMonth(year, month));
  return toUtc(dayAt(year, month, day) + (((localMs % dayMs) + dayMs) % dayMs), zone);
}

/** How many borders of units lie between two moments, negative when the end is before the start (manual, "$dateDiff"). */
export function differenceIn(startMs: number, endMs: number, unit: Unit, zone: Zone, startOfWeek: number): number {
  const [start, end] = [startMs + zone.offsetAt(startMs), endMs + zone.offsetAt(endMs)];
  if (isMonthly(unit)) {
    const [one, other] = [partsOf(start), partsOf(end)];
    const indexOf = ({ year, month }: { year: number; month: number }): number =>
      Math.floor((year * 12 + month - 1) / monthsOf[unit]);
    return indexOf(other) - indexOf(one);
  }
  if (unit === "day") return Math.floor(end / dayMs) - Math.floor(start / dayMs);
  if (unit === "week") return weekIndex(end, startOfWeek) - weekIndex(start, startOfWeek);
  // A change of clocks makes hours neither more nor fewer.
  const shift = zone.offsetAt(startMs) % unitMs[unit];
  return Math.floor((endMs + shift) / unitMs[unit]) - Math.floor((startMs + shift) / unitMs[unit]);
}

/** Weeks since some week, each beginning on the given day. */
function weekIndex(localMs: number, startOfWeek: number): number {
  const day = Math.floor(localMs / dayMs);
  const sinceStart = (isoDayOfWeek(localMs) - startOfWeek + 7) % 7;
  return Math.round((day - sinceStart + 3) / 7);
}

/** Beginning of the bin of `size` units that a moment is in; bins are counted from 2000-01-01, weeks from the first such day after (manual, "$dateTrunc"). */
export function truncateTo(utcMs: number, unit: Unit, size: number, zone: Zone, startOfWeek: number): number {
  const localMs = utcMs + zone.offsetAt(utcMs);
  if (isMonthly(unit)) {
    const { year, month } = partsOf(localMs);
    const length = monthsOf[unit] * size;
    const months = Math.floor((year * 12 + month - 1 - 2000 * 12) / length) * length + 2000 * 12;
    return toUtc(dayAt(Math.floor(months / 12), (((months % 12) + 12) % 12) + 1, 1), zone);
  }
  const reference = dayAt(2000, 1, 1);
  if (unit === "day" || unit === "week") {
    // 2000-01-01 was a Saturday.
    const first = unit === "week" ? reference + ((startOfWeek - 6 + 7) % 7) * dayMs : reference;
    const length = unitMs[unit] * size;
    return toUtc(Math.floor((localMs - first) / length) * length + first, zone);
  }
  const length = unitMs[unit] * size;
  const first = toUtc(reference, zone);
  return Math.floor((utcMs - first) / length) * length + first;
}
