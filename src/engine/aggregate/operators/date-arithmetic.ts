import { located } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { dateValue, int64Value, nullValue, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import { momentOf } from "../dates/calendar.ts";
import { dateMsOf } from "../dates/date-value.ts";
import { addUnits, differenceIn, truncateTo, type Unit, unitOf, weekdayOf } from "../dates/units.ts";
import type { Zone } from "../dates/zone.ts";
import { zoneBy } from "./date-parts.ts";
import {
  type ExpressionOperator,
  isNullish,
  isNumber,
  namedArguments,
  type OperatorPlace,
  typeOf,
} from "./operator.ts";

/** Farthest from 1970 that calendars go here. */
const dateMaxMs = 8_640_000_000_000_000;

type Parts = (name: string) => Expression | undefined;

/** Compiled arguments of an operator on dates. */
function partsBy(
  argument: Value,
  place: OperatorPlace,
  names: { readonly required: readonly string[]; readonly optional: readonly string[] },
  codes: { readonly notObject: number; readonly unknown: number; readonly missing: number },
): Parts {
  const given = namedArguments(argument, place, names, codes);
  const compiled = new Map(Array.from(given, ([name, value]) => [name, place.compile(value)]));
  return (name) => compiled.get(name);
}

/** Milliseconds since 1970 of a date, timestamp or ObjectId. */
function dateOf(value: Value, what: string, place: OperatorPlace, code: number): number {
  const timeMs = dateMsOf(value);
  if (timeMs === undefined)
    throw located(code, `${place.name} requires ${what} to be convertible to a date, but got ${typeOf(value)}`);
  return momentOf(timeMs);
}

function unitBy(parts: Parts, place: OperatorPlace, code: number): (root: Value) => Unit | undefined {
  const expression = parts("unit") as Expression;
  return (root) => {
    const value = expression(root);
    return isNullish(value) ? undefined : unitOf(value as Value, place.name, code);
  };
}

function moving(sign: 1 | -1): ExpressionOperator {
  return (argument, place) => {
    const { name } = place;
    const parts = partsBy(
      argument,
      place,
      { required: ["startDate", "unit", "amount"], optional: ["timezone"] },
      { notObject: 5_166_400, unknown: 5_166_401, missing: 5_166_402 },
    );
    const unitAt = unitBy(parts, place, 5_166_404);
    const zoneAt = zoneBy(parts("timezone"));
    return (root) => {
      const start = parts("startDate")?.(root);
      const amountGiven = parts("amount")?.(root);
      const unit = unitAt(root);
      const zone = zoneAt(root);
      if (isNullish(start) || isNullish(amountGiven) || unit === undefined || zone === undefined) return nullValue;
      const startMs = dateOf(start as Value, "startDate", place, 5_166_403);
      const amount = isNumber(amountGiven) ? toNumber(amountGiven) : Number.NaN;
      if (!Number.isInteger(amount)) throw located(5_166_405, `${name} expects integer amount of time units`);
      const result = Math.abs(amount) > 1e17 ? Number.NaN : addUnits(startMs, unit, sign * amount, zone);
      if (!(Math.abs(result) <= dateMaxMs)) throw located(5_166_406, `${name} overflowed`);
      return dateValue(BigInt(Math.round(result)));
    };
  };
}

export const $dateAdd: ExpressionOperator = moving(1);
export const $dateSubtract: ExpressionOperator = moving(-1);

/** The day weeks begin on; Sunday without one. Undefined when it is given as nothing. */
function startOfWeekBy(
  parts: Parts,
  place: OperatorPlace,
  code: number,
): (root: Value, unit: Unit) => number | undefined {
  const expression = parts("startOfWeek");
  if (expression === undefined) return () => 7;
  return (root, unit) => {
    // It matters for weeks alone, and is not even looked at for others.
    if (unit !== "week") return 7;
    const value = expression(root);
    return isNullish(value) ? undefined : weekdayOf(value as Value, place.name, code);
  };
}

export const $dateDiff: ExpressionOperator = (argument, place) => {
  const parts = partsBy(
    argument,
    place,
    { required: ["startDate", "endDate", "unit"], optional: ["timezone", "startOfWeek"] },
    { notObject: 5_166_301, unknown: 5_166_302, missing: 5_166_303 },
  );
  const unitAt = unitBy(parts, place, 5_166_304);
  const zoneAt = zoneBy(parts("timezone"));
  const weekAt = startOfWeekBy(parts, place, 5_166_305);
  return (root) => {
    const [start, end] = [parts("startDate")?.(root), parts("endDate")?.(root)];
    const unit = unitAt(root);
    const zone = zoneAt(root);
    if (unit === undefined || zone === undefined || isNullish(start) || isNullish(end)) return nullValue;
    const week = weekAt(root, unit);
    if (week === undefined) return nullValue;
    const startMs = dateOf(start as Value, "'startDate'", place, 5_166_307);
    const endMs = dateOf(end as Value, "'endDate'", place, 5_166_307);
    return int64Value(BigInt(differenceIn(startMs, endMs, unit, zone, week)));
  };
};

/** Bins may be so many units long. */
const binSizeMax = 100_000_000_000;

export const $dateTrunc: ExpressionOperator = (argument, place) => {
  const parts = partsBy(
    argument,
    place,
    { required: ["date", "unit"], optional: ["binSize", "timezone", "startOfWeek"] },
    { notObject: 5_439_007, unknown: 5_439_008, missing: 5_439_009 },
  );
  const unitAt = unitBy(parts, place, 5_439_013);
  const zoneAt: (root: Value) => Zone | undefined = zoneBy(parts("timezone"));
  const weekAt = startOfWeekBy(parts, place, 5_439_015);
  const sizeOf = parts("binSize");
  return (root) => {
    const date = parts("date")?.(root);
    const unit = unitAt(root);
    const zone = zoneAt(root);
    const sizeGiven = sizeOf?.(root);
    if (isNullish(date) || unit === undefined || zone === undefined || (sizeOf !== undefined && isNullish(sizeGiven)))
      return nullValue;
    const week = weekAt(root, unit);
    if (week === undefined) return nullValue;
    const size = sizeOf === undefined ? 1 : binSizeOf(sizeGiven as Value);
    const dateMs = dateOf(date as Value, "'date'", place, 5_439_012);
    const result = truncateTo(dateMs, unit, size, zone, week);
    if (!(Math.abs(result) <= dateMaxMs)) throw located(5_439_005, "$dateTrunc overflowed");
    return dateValue(BigInt(result));
  };
};

function binSizeOf(value: Value): number {
  const size = isNumber(value) ? toNumber(value) : Number.NaN;
  if (!Number.isInteger(size))
    throw located(
      5_439_017,
      `$dateTrunc requires 'binSize' to be a 64-bit integer, but got value of type ${typeOf(value)}`,
    );
  if (size <= 0) throw located(5_439_018, `$dateTrunc requires 'binSize' to be greater than 0, but got value ${size}`);
  if (size > binSizeMax) throw located(5_439_005, "$dateTrunc 'binSize' is too large");
  return size;
}
