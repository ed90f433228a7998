import { located } from "../../engine-error.ts";
import { dayOfYear, isoDayOfWeek, isoWeekOf, partsOf, weekOfYear } from "./calendar.ts";
import type { Zone } from "./zone.ts";

export const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const pad = (number: number, width: number): string => String(number).padStart(width, "0");

function fourDigits(year: number): string {
  if (year < 0 || year > 9999)
    throw located(
      18_537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${year}`,
    );
  return pad(year, 4);
}

/** What a letter after `%` stands for (manual, "$dateToString"). `offsetMinutes` is what the zone adds to UTC. */
const specifiers: Readonly<Record<string, (localMs: number, offsetMinutes: number) => string>> = {
  "%": () => "%",
  b: (localMs) => (months[partsOf(localMs).month - 1] as string).slice(0, 3),
  B: (localMs) => months[partsOf(localMs).month - 1] as string,
  d: (localMs) => pad(partsOf(localMs).day, 2),
  G: (localMs) => fourDigits(isoWeekOf(localMs).year),
  H: (localMs) => pad(partsOf(localMs).hour, 2),
  j: (localMs) => pad(dayOfYear(localMs), 3),
  L: (localMs) => pad(partsOf(localMs).millisecond, 3),
  m: (localMs) => pad(partsOf(localMs).month, 2),
  M: (localMs) => pad(partsOf(localMs).minute, 2),
  S: (localMs) => pad(partsOf(localMs).second, 2),
  u: (localMs) => String(isoDayOfWeek(localMs)),
  U: (localMs) => pad(weekOfYear(localMs), 2),
  V: (localMs) => pad(isoWeekOf(localMs).week, 2),
  w: (localMs) => String((isoDayOfWeek(localMs) % 7) + 1),
  Y: (localMs) => fourDigits(partsOf(localMs).year),
  z: (_localMs, minutes) =>
    `${minutes < 0 ? "-" : "+"}${pad(Math.trunc(Math.abs(minutes) / 60), 2)}${pad(Math.abs(minutes) % 60, 2)}`,
  Z: (_localMs, minutes) => String(minutes),
};

/** Throws 18535 and 18536 unless `%` stands before letters that mean something. */
export function checkFormat(format: string): void {
  for (let index = 0; index < format.length; index += 1) {
    if (format[index] !== "%") continue;
    index += 1;
    if (index === format.length) throw located(18_535, "Unmatched '%' at end of format string");
    if (!Object.hasOwn(specifiers, format[index] as string))
      throw located(18_536, `Invalid format character '%${format[index] ?? ""}' in format string`);
  }
}

/** A moment as text; the format was checked. Throws 18537 for years that have not four digits. */
export function formatDate(utcMs: number, format: string, zone: Zone): string {
  const offsetMs = zone.offsetAt(utcMs);
  return format.replaceAll(/%([\s\S])/g, (_all, letter: string) =>
    (specifiers[letter] as (localMs: number, offsetMinutes: number) => string)(
      utcMs + offsetMs,
      Math.trunc(offsetMs / 60_000),
    ),
  );
}
