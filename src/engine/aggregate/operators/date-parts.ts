import { located } from "../../engine-error.ts";
import { readInt32 } from "../../bson/bytes.ts";
import { objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { boolOf, int32Value, int64Value, nullValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { dayOfYear, isoDayOfWeek, isoWeekOf, momentOf, partsOf, weekOfYear } from "../dates/calendar.ts";
import { requiredDateMs } from "../dates/date-value.ts";
import { utc, type Zone, zoneOf } from "../dates/zone.ts";
import { type ExpressionOperator, isNullish, namedArguments, type OperatorPlace, typeOf, unary } from "./operator.ts";

/** The zone an expression gives; undefined when it gives nothing, which makes the operator's result null. */
export function zoneBy(expression: Expression | undefined): (root: Value) => Zone | undefined {
  if (expression === undefined) return () => utc;
  if (expression.constant !== undefined) {
    const zone = isNullish(expression.constant) ? undefined : zoneOf(expression.constant);
    return () => zone;
  }
  return (root) => {
    const value = expression(root);
    return isNullish(value) ? undefined : zoneOf(value as Value);
  };
}

/** `{$year: date}`, `{$year: [date]}`, or `{$year: {date, timezone}}`. */
function part(compute: (localMs: number) => Value): ExpressionOperator {
  return (argument, place) => {
    const { date, zone } = dateAndZone(argument, place);
    return (root) => {
      const value = date(root);
      const zoneThen = zone(root);
      if (isNullish(value) || zoneThen === undefined) return nullValue;
      const utcMs = momentOf(requiredDateMs(value as Value));
      return compute(utcMs + zoneThen.offsetAt(utcMs));
    };
  };
}

function dateAndZone(
  argument: Value,
  place: OperatorPlace,
): { readonly date: Expression; readonly zone: (root: Value) => Zone | undefined } {
  const { name } = place;
  const first = argument.type === bsonType.object ? fieldsOfValue(argument).next().value : undefined;
  if (argument.type === bsonType.object && first?.name.startsWith("$") !== true) {
    const given = namedArguments(
      argument,
      place,
      { required: ["date"], optional: ["timezone"] },
      { notObject: 40_535, unknown: 40_535, missing: 40_539 },
    );
    const timezone = given.get("timezone");
    return {
      date: place.compile(given.get("date") as Value),
      zone: zoneBy(timezone === undefined ? undefined : place.compile(timezone)),
    };
  }
  if (argument.type !== bsonType.array) return { date: place.compile(argument), zone: () => utc };
  const elements = elementsOf(argument);
  if (elements.length !== 1)
    throw located(40_536, `${name} accepts exactly one argument if given an array, but was given ${elements.length}`);
  return { date: place.compile(elements[0] as Value), zone: () => utc };
}

export const $year: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).year));
export const $month: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).month));
export const $dayOfMonth: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).day));
export const $hour: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).hour));
export const $minute: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).minute));
export const $second: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).second));
export const $millisecond: ExpressionOperator = part((localMs) => int32Value(partsOf(localMs).millisecond));
export const $dayOfYear: ExpressionOperator = part((localMs) => int32Value(dayOfYear(localMs)));
export const $dayOfWeek: ExpressionOperator = part((localMs) => int32Value((isoDayOfWeek(localMs) % 7) + 1));
export const $week: ExpressionOperator = part((localMs) => int32Value(weekOfYear(localMs)));
export const $isoDayOfWeek: ExpressionOperator = part((localMs) => int32Value(isoDayOfWeek(localMs)));
export const $isoWeek: ExpressionOperator = part((localMs) => int32Value(isoWeekOf(localMs).week));
export const $isoWeekYear: ExpressionOperator = part((localMs) => int64Value(BigInt(isoWeekOf(localMs).year)));

export const $dateToParts: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["date"], optional: ["timezone", "iso8601"] },
    { notObject: 40_524, unknown: 40_520, missing: 40_522 },
  );
  const date = place.compile(given.get("date") as Value);
  const timezone = given.get("timezone");
  const zone = zoneBy(timezone === undefined ? undefined : place.compile(timezone));
  const isoGiven = given.get("iso8601");
  const iso: Expression | undefined = isoGiven === undefined ? undefined : place.compile(isoGiven);
  return (root) => {
    const value = date(root);
    const zoneThen = zone(root);
    const wantsIso = iso?.(root);
    if (iso !== undefined && isNullish(wantsIso)) return nullValue;
    if (wantsIso !== undefined && wantsIso.type !== bsonType.bool)
      throw located(40_521, `iso8601 must evaluate to a bool, found ${typeOf(wantsIso)}`);
    if (isNullish(value) || zoneThen === undefined) return nullValue;
    const utcMs = momentOf(requiredDateMs(value as Value));
    const localMs = utcMs + zoneThen.offsetAt(utcMs);
    const parts = partsOf(localMs);
    const day: [string, number][] =
      wantsIso !== undefined && boolOf(wantsIso)
        ? [
            ["isoWeekYear", isoWeekOf(localMs).year],
            ["isoWeek", isoWeekOf(localMs).week],
            ["isoDayOfWeek", isoDayOfWeek(localMs)],
          ]
        : [
            ["year", parts.year],
            ["month", parts.month],
            ["day", parts.day],
          ];
    const clock: [string, number][] = [
      ["hour", parts.hour],
      ["minute", parts.minute],
      ["second", parts.second],
      ["millisecond", parts.millisecond],
    ];
    return objectValue([...day, ...clock].map(([name, number]) => [name, int32Value(number)] as const));
  };
};

function timestampPart(offset: number, code: number): ExpressionOperator {
  return unary((value, { name }) => {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type !== bsonType.timestamp)
      throw located(code, `Argument to ${name} must be a timestamp, but is ${typeOf(given)}`);
    return int64Value(BigInt(readInt32(given.source, given.start + offset) >>> 0));
  });
}

export const $tsSecond: ExpressionOperator = timestampPart(4, 5_687_301);
export const $tsIncrement: ExpressionOperator = timestampPart(0, 5_687_302);
