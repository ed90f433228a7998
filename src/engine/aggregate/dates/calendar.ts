import { located } from "../../engine-error.ts";

/** Milliseconds of a day. */
export const dayMs = 86_400_000;

/** Latest and earliest moments that a calendar has here, in milliseconds since 1970. */
const calendarMaxMs = 8_640_000_000_000_000n;

/** A moment as a calendar and a clock show it. */
export interface DateParts {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

/** A BSON date as a number. Throws 18537 for what is outside of the calendar. */
export function momentOf(timeMs: bigint): number {
  if (timeMs > calendarMaxMs || timeMs < -calendarMaxMs)
    throw located(18_537, "Could not convert date to string: date component was outside the supported range of 0-9999");
  return Number(timeMs);
}

/** Parts of milliseconds since 1970, local time being given as if it were UTC. */
export function partsOf(localMs: number): DateParts {
  const date = new Date(localMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

/** Midnight of a day; months and days out of range carry over. NaN when it is outside of the calendar. */
export function dayAt(year: number, month: number, day: number): number {
  // The year is set apart: Date.UTC takes 0 to 99 for the twentieth century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** Monday is 1, Sunday 7. */
export function isoDayOfWeek(localMs: number): number {
  return ((((Math.floor(localMs / dayMs) + 3) % 7) + 7) % 7) + 1;
}

/** From 1. */
export function dayOfYear(localMs: number): number {
  const { year } = partsOf(localMs);
  return Math.floor((localMs - dayAt(year, 1, 1)) / dayMs) + 1;
}

/** Weeks begin on Sundays; the days before the first are in week 0. */
export function weekOfYear(localMs: number): number {
  const sundayBased = isoDayOfWeek(localMs) % 7;
  return Math.floor((dayOfYear(localMs) + 6 - sundayBased) / 7);
}

/** Year and week of ISO 8601: the week belongs to the year its Thursday is in. */
export function isoWeekOf(localMs: number): { readonly year: number; readonly week: number } {
  const thursday = (Math.floor(localMs / dayMs) + 4 - isoDayOfWeek(localMs)) * dayMs;
  const { year } = partsOf(thursday);
  return { year, week: Math.floor((thursday - dayAt(year, 1, 1)) / (7 * dayMs)) + 1 };
}

/** Midnight of a day given by ISO week. */
export function isoDayAt(year: number, week: number, dayOfWeek: number): number {
  const fourth = dayAt(year, 1, 4);
  return fourth + ((week - 1) * 7 + dayOfWeek - isoDayOfWeek(fourth)) * dayMs;
}

export function daysInMonth(year: number, month: number): number {
  return partsOf(dayAt(year, month + 1, 0)).day;
}

/** `2024-05-06T07:08:09.010Z`. Throws 18537 for years that have not four digits. */
export function isoText(timeMs: bigint): string {
  const moment = momentOf(timeMs);
  const { year } = partsOf(moment);
  if (year < 0 || year > 9999)
    throw located(
      18_537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${year}`,
    );
  return new Date(moment).toISOString();
}
