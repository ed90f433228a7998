import { EngineError, located } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { toNumber } from "../../bson/numbers.ts";
import { dateValue, nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import { dayAt, dayMs, isoDayAt, momentOf } from "../dates/calendar.ts";
import { requiredDateMs } from "../dates/date-value.ts";
import { checkFormat, formatDate } from "../dates/format.ts";
import { parseDate } from "../dates/free-text.ts";
import { conversionFailure, formatParser } from "../dates/parse.ts";
import { toUtc, utc } from "../dates/zone.ts";
import { zoneBy } from "./date-parts.ts";
import {
  type ExpressionOperator,
  isNullish,
  isNumber,
  namedArguments,
  type OperatorPlace,
  typeOf,
} from "./operator.ts";

function compiledParts(given: ReadonlyMap<string, Value>, place: OperatorPlace): ReadonlyMap<string, Expression> {
  return new Map(Array.from(given, ([name, value]) => [name, place.compile(value)]));
}

export const $dateToString: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["date"], optional: ["format", "timezone", "onNull"] },
    { notObject: 18_629, unknown: 18_534, missing: 18_628 },
  );
  const parts = compiledParts(given, place);
  const zoneAt = zoneBy(parts.get("timezone"));
  const format = parts.get("format");
  const fixed = format?.constant === undefined ? undefined : formatOf(format.constant);
  return (root) => {
    const date = parts.get("date")?.(root);
    const zone = zoneAt(root);
    const pattern = format === undefined ? undefined : format.constant === undefined ? formatOf(format(root)) : fixed;
    if (isNullish(date)) return parts.has("onNull") ? parts.get("onNull")?.(root) : nullValue;
    if (zone === undefined || (format !== undefined && pattern === undefined)) return nullValue;
    const utcMs = momentOf(requiredDateMs(date as Value));
    // The Z at the end is true in UTC alone, and MongoDB leaves it out elsewhere.
    return stringValue(formatDate(utcMs, pattern ?? `%Y-%m-%dT%H:%M:%S.%L${zone === utc ? "Z" : ""}`, zone));
  };
};

function formatOf(value: Value | undefined): string | undefined {
  if (isNullish(value)) return undefined;
  const given: Value = value;
  if (given.type !== bsonType.string)
    throw located(18_533, `$dateToString requires that 'format' be a string, found: ${typeOf(given)}`);
  checkFormat(textOf(given));
  return textOf(given);
}

export const $dateFromString: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["dateString"], optional: ["format", "timezone", "onError", "onNull"] },
    { notObject: 40_540, unknown: 40_541, missing: 40_542 },
  );
  const parts = compiledParts(given, place);
  const zoneAt = zoneBy(parts.get("timezone"));
  const format = parts.get("format");
  const constantFormat = format?.constant;
  const fixed = constantFormat?.type === bsonType.string ? formatParser(textOf(constantFormat)) : undefined;
  return (root) => {
    const text = parts.get("dateString")?.(root);
    const formatThen = format?.(root);
    if (format !== undefined && !isNullish(formatThen) && (formatThen as Value).type !== bsonType.string)
      throw located(40_684, `$dateFromString requires that 'format' be a string, found: ${typeOf(formatThen)}`);
    const zone = zoneAt(root);
    if (isNullish(text)) return parts.has("onNull") ? parts.get("onNull")?.(root) : nullValue;
    const written: Value = text;
    const isText = written.type === bsonType.string;
    if (isText && (zone === undefined || (format !== undefined && isNullish(formatThen)))) return nullValue;
    try {
      if (!isText)
        throw conversionFailure(`$dateFromString requires that 'dateString' be a string, found: ${typeOf(written)}`);
      const parse = format === undefined ? parseDate : (fixed ?? formatParser(textOf(formatThen as Value)));
      return dateValue(BigInt(parse(textOf(written), parts.has("timezone") ? zone : undefined)));
    } catch (error) {
      const onError = parts.get("onError");
      if (onError === undefined || !(error instanceof EngineError) || error.code !== 241) throw error;
      return onError(root);
    }
  };
};

const calendarParts = ["year", "month", "day"];
const isoParts = ["isoWeekYear", "isoWeek", "isoDayOfWeek"];
const clockParts = ["hour", "minute", "second", "millisecond"];

export const $dateFromParts: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: [], optional: [...calendarParts, ...isoParts, ...clockParts, "timezone"] },
    { notObject: 40_519, unknown: 40_518, missing: 40_516 },
  );
  if (!given.has("year") && !given.has("isoWeekYear"))
    throw located(40_516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
  const isIso = given.has("isoWeekYear");
  for (const name of isIso ? calendarParts : isoParts)
    if (given.has(name))
      throw located(isIso ? 40_489 : 40_525, "$dateFromParts does not allow mixing natural dates with ISO dates");
  const parts = compiledParts(given, place);
  const zoneAt = zoneBy(parts.get("timezone"));
  const names = [...(isIso ? isoParts : calendarParts), ...clockParts];
  return (root) => {
    const zone = zoneAt(root);
    const numbers: number[] = [];
    for (const name of names) {
      const expression = parts.get(name);
      const number = expression === undefined ? defaultOf(name) : partOf(name, expression(root));
      if (number === undefined) return nullValue;
      numbers.push(number);
    }
    if (zone === undefined) return nullValue;
    const [year, second, third, hour, minute, seconds, millisecond] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    if (year < 1 || year > 9999)
      throw located(40_523, `'${names[0] ?? ""}' must evaluate to an integer in the range 1 to 9999, found ${year}`);
    const day = isIso ? isoDayAt(year, second, third) : dayAt(year, second, third);
    const ofDay = hour * 3_600_000 + minute * 60_000 + seconds * 1000 + millisecond;
    const result = Math.abs(ofDay) > 1e9 * dayMs ? Number.NaN : toUtc(day + ofDay, zone);
    if (!Number.isFinite(result)) throw located(31_034, "$dateFromParts: the date is out of range");
    return dateValue(BigInt(result));
  };
};

function defaultOf(name: string): number {
  return clockParts.includes(name) ? 0 : 1;
}

/** Parts but the year and the clock's smallest ones are 16-bit numbers. */
function partOf(name: string, value: Value | undefined): number | undefined {
  if (isNullish(value)) return undefined;
  const number = isNumber(value) ? toNumber(value) : Number.NaN;
  if (!Number.isInteger(number)) throw located(40_515, `'${name}' must evaluate to an integer, found ${typeOf(value)}`);
  const isWide = name === "second" || name === "millisecond";
  if (!isWide && (number < -32_768 || number > 32_767))
    throw located(
      31_034,
      `'${name}' must evaluate to a value in the range [-32768, 32767]; value ${number} is not in range`,
    );
  return number;
}
