import { monthNamed, zoneOffsetOf, zonePattern } from "./names.ts";
import { conversionFailure, momentRead, type Read } from "./parse.ts";
import { isoDayAt, partsOf } from "./calendar.ts";
import type { Zone } from "./zone.ts";

/** What a piece of a text says, by the groups of its pattern. False: it is none after all. */
type Put = (read: Read, groups: readonly string[]) => void | false;

interface Piece {
  readonly kind: "date" | "time" | "zone" | "weekday";
  readonly expression: RegExp;
  readonly put: Put;
}

const month = "[a-z]{3,9}";
const day = String.raw`\d{1,2}(?:st|nd|rd|th)?`;
const year = String.raw`\d{4}|\d{2}`;
const fraction = String.raw`(?:[.,:](\d{1,9}))?`;
const meridian = String.raw`\s*([ap])\.?m\.?(?![a-z])`;

function piece(kind: Piece["kind"], pattern: string, put: Put): Piece {
  return { kind, expression: new RegExp(pattern, "iy"), put };
}

/** A date whose groups are its parts in an order. */
function date(pattern: string, ...order: readonly ("year" | "month" | "day" | "dayOfYear")[]): Piece {
  return piece("date", pattern, (read, groups) => {
    for (const [index, part] of order.entries()) {
      const text = groups[index] as string;
      const number = part === "year" ? fullYear(text) : part === "month" ? monthOf(text) : Number.parseInt(text, 10);
      if (number === undefined) return false;
      read[part] = number;
    }
    if (!order.includes("day") && !order.includes("dayOfYear")) read.day = 1;
    return undefined;
  });
}

function monthOf(text: string): number | undefined {
  return /^\d/.test(text) ? Number(text) : monthNamed(text);
}

/** Two digits are a year from 1970 to 2069. */
function fullYear(text: string): number {
  const number = Number(text);
  return text.length > 2 ? number : number + (number < 70 ? 2000 : 1900);
}

const time: Put = (read, [hour, minute, second, fractionText]) => {
  read.hour = Number(hour);
  read.minute = Number(minute ?? 0);
  read.second = Number(second ?? 0);
  read.millisecond = Number((fractionText ?? "").padEnd(3, "0").slice(0, 3));
};

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** What a date without a format may consist of, as PHP's timelib reads it, which MongoDB uses. The longest that fits counts, of those the first. */
const pieces: readonly Piece[] = [
  date(String.raw`([+-]?\d{4})-(\d{1,2})-(\d{1,2})(?!\d)`, "year", "month", "day"),
  date(String.raw`(\d{4})/(\d{1,2})/(\d{1,2})(?!\d)`, "year", "month", "day"),
  date(String.raw`(\d{4})(\d{2})(\d{2})(?!\d)`, "year", "month", "day"),
  date(String.raw`(\d{4})[.-]?(\d{3})(?!\d)`, "year", "dayOfYear"),
  date(String.raw`(\d{4})-(\d{1,2})(?![\d-])`, "year", "month"),
  date(String.raw`(\d{2})-(\d{2})-(\d{2})(?!\d)`, "year", "month", "day"),
  date(String.raw`(\d{1,2})/(\d{1,2})/(${year})(?!\d)`, "month", "day", "year"),
  date(String.raw`(\d{1,2})[-.\t](\d{1,2})[-.](\d{4})(?!\d)`, "day", "month", "year"),
  date(String.raw`(${day})[ \t.-]*(${month})[ \t.,-]*(\d{4})(?!\d)`, "day", "month", "year"),
  date(String.raw`(${month})[ \t.-]*(\d{1,2})(?:st|nd|rd|th)?[ \t.,-]+(\d{4})(?!\d)`, "month", "day", "year"),
  date(String.raw`(\d{4})[ \t.-]*(${month})[ \t.-]*(\d{1,2})(?!\d)`, "year", "month", "day"),
  date(String.raw`(${month})[ \t.-]*(\d{4})(?!\d)`, "month", "year"),
  date(String.raw`(\d{4})[ \t.-]*(${month})(?![a-z])`, "year", "month"),
  date(String.raw`(\d{1,2})/(${month})/(\d{4})(?::(?=\d\d:\d\d:\d\d))?`, "day", "month", "year"),
  piece("date", String.raw`(\d{4})-?w(\d{2})(?:-?([0-7]))?(?!\d)`, (read, [isoYear, week, isoDay]) => {
    const parts = partsOf(isoDayAt(Number(isoYear), Number(week), Number(isoDay ?? 1)));
    [read.year, read.month, read.day] = [parts.year, parts.month, parts.day];
  }),
  piece("time", String.raw`t?(\d{1,2})[:.](\d{2})(?:[:.](\d{2})${fraction})?(?!\d)`, time),
  piece("time", String.raw`t(\d{2})(\d{2})(?:(\d{2})${fraction})?(?!\d)`, time),
  piece("time", String.raw`(\d{1,2})(?:[:.](\d{2}))?(?:[:.](\d{2}))?${meridian}`, (read, groups) => {
    const [hour, minute, second, half] = groups;
    if (Number(hour) < 1 || Number(hour) > 12) return false;
    time(read, [String((Number(hour) % 12) + (half?.toLowerCase() === "p" ? 12 : 0)), minute, second] as string[]);
    return undefined;
  }),
  piece("time", "noon(?![a-z])", (read) => time(read, ["12"])),
  piece("time", "midnight(?![a-z])", (read) => time(read, ["0"])),
  piece(
    "weekday",
    "(sun|mon|tue|wed|thu|fri|sat)(?:day|s|sday|nesday|rs|rsday|urday)?(?![a-z])",
    (read, [name = ""]) => void (read.weekday = weekdays.indexOf(name.toLowerCase())),
  ),
  piece(
    "zone",
    String.raw`\(?(${zonePattern})\)?`,
    (read, [name = ""]) => void (read.offsetMinutes = zoneOffsetOf(name)),
  ),
];

/**
 * A date without a format: ISO 8601 and the English spellings of PHP's timelib, without what is relative to now. Throws 241 ConversionFailure for what is none, or
 * only a part of one.
 */
export function parseDate(text: string, zone: Zone | undefined): number {
  const read: Read = {};
  const seen = new Set<Piece["kind"]>();
  const seconds = /^\s*@(-?\d{1,12})\s*$/.exec(text);
  if (seconds !== null) return Number(seconds[1]) * 1000;
  let position = 0;
  for (;;) {
    while (position < text.length && /[\s.,]/.test(text[position] as string)) position += 1;
    if (position === text.length) return momentRead(read, text, zone);
    const { length, kind, parts } = longest(text, position);
    if (seen.has(kind))
      throw conversionFailure(
        `Error parsing date string '${text}'; ${position}: Double ${kind} specification '${text[position] ?? ""}'`,
      );
    seen.add(kind);
    Object.assign(read, parts);
    position += length;
  }
}

interface Found {
  readonly length: number;
  readonly kind: Piece["kind"];
  readonly parts: Read;
}

function longest(text: string, position: number): Found {
  let best: Found | undefined;
  for (const { kind, expression, put } of pieces) {
    expression.lastIndex = position;
    const match = expression.exec(text);
    if (match === null || match[0].length <= (best?.length ?? 0)) continue;
    // Names that fit nothing else are looked up as zones, and the error is theirs.
    const parts: Read = {};
    if (put(parts, match.slice(1)) !== false) best = { length: match[0].length, kind, parts };
  }
  if (best === undefined)
    throw conversionFailure(
      `Error parsing date string '${text}'; ${position}: Unexpected character '${text[position] ?? ""}'`,
    );
  return best;
}
