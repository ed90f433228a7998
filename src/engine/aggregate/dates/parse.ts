import { EngineError, located } from "../../engine-error.ts";
import { dayAt, isoDayAt } from "./calendar.ts";
import { months } from "./format.ts";
import { toUtc, utc, type Zone } from "./zone.ts";

/** A text that is no date: an error that `onError` of `$dateFromString` and `$convert` catches. */
export function conversionFailure(message: string): EngineError {
  return new EngineError(241, "ConversionFailure", message);
}

interface Read {
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
}

/** How each letter after `%` is read: a pattern, and where what it found goes. */
const readers: Readonly<
  Record<string, { readonly pattern: string; readonly put: (read: Read, text: string) => void }>
> = {
  b: { pattern: "[A-Za-z]{3}", put: (read, text) => (read.month = monthOf(text)) },
  B: { pattern: "[A-Za-z]{3,9}", put: (read, text) => (read.month = monthOf(text)) },
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
  z: { pattern: "Z|[+-]\\d{2}(?::?\\d{2})?", put: (read, text) => (read.offsetMinutes = offsetOf(text)) },
  Z: { pattern: "[+-]\\d{1,4}", put: (read, text) => (read.offsetMinutes = Number(text)) },
};

function monthOf(text: string): number {
  const wanted = text.toLowerCase();
  const index = months.findIndex((month) =>
    wanted.length === 3 ? month.slice(0, 3).toLowerCase() === wanted : month.toLowerCase() === wanted,
  );
  if (index === -1) throw conversionFailure(`Error parsing date string: a textual month could not be found '${text}'`);
  return index + 1;
}

function offsetOf(text: string): number {
  if (/^[A-Za-z]/.test(text)) return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) as unknown as [
    string,
    string,
    string,
    string?,
  ];
  const size = Number(hours) * 60 + Number(minutes ?? 0);
  return sign === "-" ? -size : size;
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
    return moment(read, text, zone);
  };
}

const time = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d{1,9}))?)?\s*(am|pm)?`;
const zonePart = String.raw`(?:\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?`;
const rest = String.raw`(?:(?:T|\s+|,\s*)${time})?${zonePart}$`;

/** Dates as people and programs write them, year, month and day in the places told. */
const shapes: readonly {
  readonly expression: RegExp;
  readonly order: readonly ("year" | "month" | "day" | "dayOfYear")[];
}[] = [
  { expression: new RegExp(String.raw`^(\d{4})-(\d{1,2})-(\d{1,2})${rest}`, "i"), order: ["year", "month", "day"] },
  { expression: new RegExp(String.raw`^(\d{4})/(\d{1,2})/(\d{1,2})${rest}`, "i"), order: ["year", "month", "day"] },
  { expression: new RegExp(String.raw`^(\d{4})(\d{2})(\d{2})${rest}`, "i"), order: ["year", "month", "day"] },
  { expression: new RegExp(String.raw`^(\d{4})-(\d{3})${rest}`, "i"), order: ["year", "dayOfYear"] },
  { expression: new RegExp(String.raw`^(\d{4})-(\d{1,2})${rest}`, "i"), order: ["year", "month"] },
  { expression: new RegExp(String.raw`^(\d{1,2})/(\d{1,2})/(\d{4})${rest}`, "i"), order: ["month", "day", "year"] },
  {
    expression: new RegExp(String.raw`^(\d{1,2})[-.](\d{1,2})[-.](\d{4})${rest}`, "i"),
    order: ["day", "month", "year"],
  },
  {
    expression: new RegExp(
      String.raw`^(?:[a-z]{3,9},?\s+)?(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})[\s,-]+(\d{4})${rest}`,
      "i",
    ),
    order: ["day", "month", "year"],
  },
  {
    expression: new RegExp(
      String.raw`^(?:[a-z]{3,9},?\s+)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})${rest}`,
      "i",
    ),
    order: ["month", "day", "year"],
  },
];

/** A date without a format: ISO 8601 and the usual English spellings. Throws 241 ConversionFailure. */
export function parseDate(text: string, zone: Zone | undefined): number {
  const trimmed = text.trim();
  for (const { expression, order } of shapes) {
    const match = expression.exec(trimmed);
    if (match === null) continue;
    const read: Read = {};
    for (const [index, part] of order.entries()) {
      const found = match[index + 1] as string;
      read[part] = part === "month" && /^[a-z]/i.test(found) ? monthOf(found) : Number(found);
    }
    putTime(read, match.slice(order.length + 1));
    return moment(read, text, zone);
  }
  throw conversionFailure(
    `Error parsing date string '${text}'; 0: Incomplete date/time string has been found, with elements missing`,
  );
}

function putTime(read: Read, [hour, minute, second, fraction, half, offset]: readonly (string | undefined)[]): void {
  if (hour !== undefined) {
    const afternoon = half?.toLowerCase() === "pm";
    read.hour = half === undefined ? Number(hour) : (Number(hour) % 12) + (afternoon ? 12 : 0);
    read.minute = Number(minute);
    read.second = Number(second ?? 0);
    read.millisecond = Number((fraction ?? "0").padEnd(3, "0").slice(0, 3));
  }
  if (offset !== undefined) read.offsetMinutes = offsetOf(offset);
}

function moment(read: Read, text: string, zone: Zone | undefined): number {
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = read;
  if (hour > 24 || minute > 59 || second > 60)
    throw conversionFailure(`Error parsing date string '${text}'; the time is out of range`);
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
    throw conversionFailure(`an incomplete date/time string has been found, with elements missing: '${text}'`);
  if (read.dayOfYear !== undefined) return dayAt(read.year, 1, read.dayOfYear);
  const { month = 1, day = 1 } = read;
  if (month < 1 || month > 12 || day < 1 || day > 31)
    throw conversionFailure(`Error parsing date string '${text}'; the day is out of range`);
  if (read.month === undefined)
    throw conversionFailure(`an incomplete date/time string has been found, with elements missing: '${text}'`);
  return dayAt(read.year, month, day);
}
