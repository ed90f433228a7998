import { EngineError, located } from "../../engine-error.ts";
import { dayAt, dayMs, isoDayAt, isoDayOfWeek, partsOf } from "./calendar.ts";
import { monthNamed, zoneOffsetOf, zonePattern } from "./names.ts";
import { toUtc, utc, type Zone } from "./zone.ts";

/** A text that is no date: an error that `onError` of `$dateFromString` and `$convert` catches. */
export function conversionFailure(message: string): EngineError {
  return new EngineError(241, "ConversionFailure", message);
}

/** What was read of a date so far; the month from 1. */
export interface Read {
  year?: number;
  month?: number;
  day?: number;
  dayOfYear?: number;
  isoYear?: number;
  isoWeek?: number;
  isoDay?: number;
  hour?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
  offsetMinutes?: number;
  /** Of a day of the week that was named, from 0 for Sunday: the first such day from the date on. */
  weekday?: number;
}

/** How each letter after `%` is read: a pattern, and where what it found goes. */
const readers: Readonly<
  Record<string, { readonly pattern: string; readonly put: (read: Read, text: string) => void }>
> = {
  b: { pattern: "[A-Za-z]+", put: (read, text) => (read.month = monthOf(text)) },
  B: { pattern: "[A-Za-z]+", put: (read, text) => (read.month = monthOf(text)) },
  d: { pattern: "\\d{1,2}", put: (read, text) => (read.day = Number(text)) },
  G: { pattern: "\\d{4}", put: (read, text) => (read.isoYear = Number(text)) },
  H: { pattern: "\\d{1,2}", put: (read, text) => (read.hour = Number(text)) },
  j: { pattern: "\\d{1,3}", put: (read, text) => (read.dayOfYear = Number(text)) },
  L: { pattern: "\\d{1,3}", put: (read, text) => (read.millisecond = Number(text.padEnd(3, "0"))) },
  m: { pattern: "\\d{1,2}", put: (read, text) => (read.month = Number(text)) },
  M: { pattern: "\\d{1,2}", put: (read, text) => (read.minute = Number(text)) },
  S: { pattern: "\\d{1,2}", put: (read, text) => (read.second = Number(text)) },
  u: { pattern: "\\d", put: (read, text) => (read.isoDay = Number(text)) },
  V: { pattern: "\\d{1,2}", put: (read, text) => (read.isoWeek = Number(text)) },
  Y: { pattern: "\\d{4}", put: (read, text) => (read.year = Number(text)) },
  z: { pattern: zonePattern, put: (read, text) => (read.offsetMinutes = zoneOffsetOf(text)) },
  Z: { pattern: "[+-]\\d{1,4}", put: (read, text) => (read.offsetMinutes = Number(text)) },
};

function monthOf(text: string): number {
  const month = monthNamed(text);
  if (month === undefined)
    throw conversionFailure(`Error parsing date string: a textual month could not be found '${text}'`);
  return month;
}

/** A parser for a format of `$dateFromString`. Throws 18535 and 18536 for formats that are none. */
export function formatParser(format: string): (text: string, zone: Zone | undefined) => number {
  const puts: ((read: Read, text: string) => void)[] = [];
  let pattern = "";
  for (let index = 0; index < format.length; index += 1) {
    const character = format[index] as string;
    if (character !== "%") {
      pattern += character.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
      continue;
    }
    index += 1;
    const letter = format[index];
    if (letter === undefined) throw located(18_535, "Unmatched '%' at end of format string");
    if (letter === "%") pattern += "%";
    else {
      const reader = Object.hasOwn(readers, letter) ? readers[letter] : undefined;
      if (reader === undefined) throw located(18_536, `Invalid format character '%${letter}' in format string`);
      pattern += `(${reader.pattern})`;
      puts.push(reader.put);
    }
  }
  const expression = new RegExp(`^${pattern}$`);
  return (text, zone) => {
    const match = expression.exec(text);
    if (match === null) throw conversionFailure(`Error parsing date string '${text}'; the format does not fit`);
    const read: Read = {};
    for (const [index, put] of puts.entries()) put(read, match[index + 1] as string);
    return momentRead(read, text, zone);
  };
}

/** The moment of what was read of a text, in milliseconds. Throws 241 ConversionFailure for days and times that there are not. */
export function momentRead(read: Read, text: string, zone: Zone | undefined): number {
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = read;
  if (hour > 23 || minute > 59 || second > 59)
    throw conversionFailure(`Error parsing date string '${text}'; ${text.length}: The parsed time was invalid ''`);
  if (read.offsetMinutes !== undefined && zone !== undefined && zone !== utc)
    throw conversionFailure(`you cannot pass in a date/time string with GMT offset together with a timezone argument`);
  const local = dayOf(read, text) + ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
  if (read.offsetMinutes !== undefined) return local - read.offsetMinutes * 60_000;
  return toUtc(local, zone ?? utc);
}

function dayOf(read: Read, text: string): number {
  if (read.isoYear !== undefined || read.isoWeek !== undefined) {
    if (read.isoYear === undefined || read.year !== undefined || read.month !== undefined)
      throw conversionFailure(`Error parsing date string '${text}'; an ISO week date and a calendar date are mixed`);
    return isoDayAt(read.isoYear, read.isoWeek ?? 1, read.isoDay ?? 1);
  }
  if (read.year === undefined)
    throw conversionFailure(`an incomplete date/time string has been found, with elements missing: "${text}"`);
  if (read.dayOfYear !== undefined) return dayAt(read.year, 1, read.dayOfYear);
  const { month = 1, day = 1 } = read;
  if (read.month === undefined || read.day === undefined)
    throw conversionFailure(`an incomplete date/time string has been found, with elements missing: "${text}"`);
  if (month < 1 || month > 12 || day < 1 || dayOfMonth(dayAt(read.year, month, day)) !== day)
    throw conversionFailure(`Error parsing date string '${text}'; ${text.length}: The parsed date was invalid ''`);
  const ms = dayAt(read.year, month, day);
  return read.weekday === undefined ? ms : ms + ((read.weekday - (isoDayOfWeek(ms) % 7) + 7) % 7) * dayMs;
}

function dayOfMonth(ms: number): number {
  return partsOf(ms).day;
}
