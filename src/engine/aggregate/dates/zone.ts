import { located } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { textOf, type Value } from "../../bson/value.ts";

/** A time zone: what is added to UTC at a moment, in milliseconds. */
export interface Zone {
  readonly offsetAt: (utcMs: number) => number;
}

export const utc: Zone = { offsetAt: () => 0 };

const offset = /^([+-])(\d{2})(?::?(\d{2}))?$/;

/** A zone by its name in the IANA database or by an offset (`+hh`, `+hhmm`, `+hh:mm`). Throws 40485 for others, 40517 for what is no string. */
export function zoneOf(value: Value): Zone {
  if (value.type !== bsonType.string)
    throw located(40_517, `timezone must evaluate to a string, found ${typeName(value.type)}`);
  const name = textOf(value);
  if (name === "UTC" || name === "GMT" || name === "Z") return utc;
  const match = offset.exec(name);
  if (match !== null) {
    const size = (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60_000;
    if (size === 0) return utc;
    const signed = match[1] === "-" ? -size : size;
    return { offsetAt: () => signed };
  }
  if (!/^[A-Za-z]/.test(name)) throw located(40_485, `unrecognized time zone identifier: "${name}"`);
  return named(name);
}

const zones = new Map<string, Zone>();
/** There are some 600 names; a bound for their spellings. */
const zonesMax = 2000;

function named(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw located(40_485, `unrecognized time zone identifier: "${name}"`);
  }
  // Offsets change at full quarters of an hour, so that documents of one time share an answer.
  let lastQuarter = Number.NaN;
  let lastOffset = 0;
  const zone: Zone = {
    offsetAt: (utcMs) => {
      const quarter = Math.floor(utcMs / 900_000);
      if (quarter !== lastQuarter) {
        lastOffset = offsetBy(format, quarter * 900_000);
        lastQuarter = quarter;
      }
      return lastOffset;
    },
  };
  if (zones.size >= zonesMax) zones.clear();
  zones.set(name, zone);
  return zone;
}

function offsetBy(format: Intl.DateTimeFormat, utcMs: number): number {
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(utcMs)) parts[type] = value;
  const year = parts["era"]?.startsWith("B") === true ? 1 - Number(parts["year"]) : Number(parts["year"]);
  const local = new Date(0);
  local.setUTCFullYear(year, Number(parts["month"]) - 1, Number(parts["day"]));
  local.setUTCHours(Number(parts["hour"]), Number(parts["minute"]), Number(parts["second"]));
  return local.getTime() - utcMs;
}

/** The moment at which a zone's clocks show a local time; where they show it twice, the earlier; where never, as if they had not been put forward. */
export function toUtc(localMs: number, zone: Zone): number {
  const first = localMs - zone.offsetAt(localMs);
  const second = localMs - zone.offsetAt(first);
  if (first === second) return first;
  return second + zone.offsetAt(second) === localMs ? second : Math.max(first, second);
}
