import { encodeKey } from "../bson/key.ts";
import { compareBytes } from "../bson/bytes.ts";
import { bsonType, isNumberType, typeOrder } from "../bson/types.ts";
import { nullValue, stringValue, undefinedValue, type Value } from "../bson/value.ts";
import { elementsOf } from "../bson/walk.ts";
import { holdsText } from "./collation.ts";

/** One end of an interval: the key of a value, or the edge between two types, whose one byte is no key but stands before all keys that begin with it. */
export interface Endpoint {
  readonly bytes: Uint8Array;
  readonly edge: boolean;
  readonly inclusive: boolean;
  /** The value, for showing; undefined for an edge. */
  readonly value: Value | undefined;
}

/** Values from one end to the other, in the order of keys of one ascending field. */
export interface Interval {
  readonly from: Endpoint;
  readonly to: Endpoint;
}

/** What values of a path can be: one or more intervals that do not meet, in order. */
export interface Bounds {
  readonly intervals: readonly Interval[];
  /** Whether strings are among the ends, whose place a collation changes. */
  readonly text: boolean;
}

/** What must hold of the documents that a query finds. */
export class Conditions {
  /** Bounds of what values of a path must be; each must hold. */
  readonly byPath = new Map<string, Bounds[]>();
  /** One list for each `$or`: of each list one must hold. */
  readonly alternatives: (readonly Conditions[])[] = [];

  add(path: string, bounds: Bounds | undefined): void {
    if (bounds === undefined) return;
    const before = this.byPath.get(path);
    if (before === undefined) this.byPath.set(path, [bounds]);
    else before.push(bounds);
  }
}

/** Before every key and after every key: types have bytes from 0f to 8f. */
export const everything: Interval = { from: edge(0x01), to: edge(0xff) };

/** Bounds of `{path: value}`; undefined where no bounds hold for it. */
export function boundsOfEquality(value: Value): Bounds | undefined {
  return boundsOfList([value]);
}

/** More ranges of keys than this are not worth one look-up each. */
export const rangesMax = 10_000;

/** Bounds of `$in`; none of a list too long to look up each of its values. */
export function boundsOfList(values: readonly Value[]): Bounds | undefined {
  if (values.length > rangesMax) return undefined;
  const points: Value[] = [];
  for (const value of values) {
    if (value.type === bsonType.regex || value.type === bsonType.undefined) return undefined;
    points.push(value);
    // Null is what is missing, too, and what old documents hold as undefined.
    if (value.type === bsonType.null) points.push(undefinedValue);
    // An array is met as a whole within another, and else by its first element; an empty one has the key of undefined.
    if (value.type === bsonType.array) points.push(elementsOf(value)[0] ?? undefinedValue);
  }
  const intervals = points
    .map(point)
    .toSorted((one, other) => compareBytes(one.from.bytes, other.from.bytes))
    .filter(
      (one, index, all) => index === 0 || compareBytes(one.from.bytes, all[index - 1]?.from.bytes as Uint8Array) !== 0,
    );
  return { intervals, text: points.some(holdsText) };
}

/** Bounds of `$gt`, `$gte`, `$lt`, `$lte`: comparisons stay within the type's own bracket. */
export function boundsOfComparison(operator: string, value: Value): Bounds | undefined {
  if (value.type === bsonType.null) return operator.endsWith("e") ? boundsOfEquality(nullValue) : undefined;
  if (!isOrdered(value)) return undefined;
  const ends = { bytes: encodeKey(value), edge: false, inclusive: operator.endsWith("e"), value };
  const interval = operator.startsWith("$gt")
    ? { from: ends, to: edge(typeOrder(value.type) + 1) }
    : { from: edge(typeOrder(value.type)), to: ends };
  return { intervals: [interval], text: holdsText(value) };
}

/** Bounds of a pattern that begins with plain characters: strings that begin so, and patterns. */
export function boundsOfPattern(pattern: string, options: string): Bounds | undefined {
  if (options !== "" || pattern.includes("|")) return undefined;
  const plain = /^\^([A-Za-z0-9 _-]+)(.?)/.exec(pattern);
  if (plain === null) return undefined;
  const prefix = /[?*{]/.test(plain[2] as string) ? (plain[1] as string).slice(0, -1) : (plain[1] as string);
  if (prefix === "") return undefined;
  const next = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  const end = (text: string, inclusive: boolean): Endpoint => {
    const shown = stringValue(text);
    return { bytes: encodeKey(shown), edge: false, inclusive, value: shown };
  };
  const patterns = { from: edge(typeOrder(bsonType.regex)), to: edge(typeOrder(bsonType.regex) + 1) };
  return { intervals: [{ from: end(prefix, true), to: end(next, false) }, patterns], text: true };
}

/**
 * Bounds for keys that stand for strings as a collation has them, which say whether strings may be equal and nothing of their order: a string is looked up by its key,
 * and a range that begins or ends at one is all of its type.
 */
export function boundsUnder(bounds: Bounds, keyOf: (text: string) => string): Bounds {
  if (!bounds.text) return bounds;
  const intervals: Interval[] = [];
  const moved = bounds.intervals
    .map((interval) => intervalUnder(interval, keyOf))
    .toSorted((one, other) => compareFrom(one.from, other.from));
  for (const interval of moved) {
    const last = intervals.at(-1);
    const order = last === undefined ? -1 : compareBytes(last.to.bytes, interval.from.bytes);
    if (last === undefined || order < 0 || (order === 0 && !(last.to.inclusive && interval.from.inclusive)))
      intervals.push(interval);
    else if (compareTo(last.to, interval.to) < 0)
      intervals[intervals.length - 1] = { from: last.from, to: interval.to };
  }
  return { intervals, text: true };
}

function intervalUnder(interval: Interval, keyOf: (text: string) => string): Interval {
  const { from, to } = interval;
  if (isPoint(interval)) {
    const end = { ...from, bytes: encodeKey(from.value as Value, keyOf) };
    return { from: end, to: end };
  }
  const isText = ({ value }: Endpoint): boolean => value !== undefined && holdsText(value);
  return {
    from: isText(from) ? edge(typeOrder((from.value as Value).type)) : from,
    to: isText(to) ? edge(typeOrder((to.value as Value).type) + 1) : to,
  };
}

/** Pairs of intervals that are compared. */
const pairsMax = 100_000;

/** What both allow. Only for places that hold one value: over arrays two conditions may be met by two elements. */
export function intersection(one: Bounds, other: Bounds): Bounds {
  // Each holds by itself, too: the narrower says enough where comparing all with all would take too long.
  if (one.intervals.length * other.intervals.length > pairsMax)
    return one.intervals.length < other.intervals.length ? one : other;
  const intervals: Interval[] = [];
  for (const left of one.intervals)
    for (const right of other.intervals) {
      const from = compareFrom(left.from, right.from) >= 0 ? left.from : right.from;
      const to = compareTo(left.to, right.to) <= 0 ? left.to : right.to;
      if (isNotEmpty(from, to)) intervals.push({ from, to });
    }
  return { intervals, text: one.text || other.text };
}

/** Whether each interval is one value. */
export function arePoints({ intervals }: Bounds): boolean {
  return intervals.every(isPoint);
}

export function isPoint({ from, to }: Interval): boolean {
  return !from.edge && !to.edge && from.inclusive && to.inclusive && compareBytes(from.bytes, to.bytes) === 0;
}

function point(value: Value): Interval {
  const end = { bytes: encodeKey(value), edge: false, inclusive: true, value };
  return { from: end, to: end };
}

function edge(byte: number): Endpoint {
  return { bytes: Uint8Array.of(byte), edge: true, inclusive: false, value: undefined };
}

function compareFrom(one: Endpoint, other: Endpoint): number {
  return compareBytes(one.bytes, other.bytes) || Number(other.inclusive) - Number(one.inclusive);
}

function compareTo(one: Endpoint, other: Endpoint): number {
  return compareBytes(one.bytes, other.bytes) || Number(one.inclusive) - Number(other.inclusive);
}

function isNotEmpty(from: Endpoint, to: Endpoint): boolean {
  const order = compareBytes(from.bytes, to.bytes);
  return order < 0 || (order === 0 && from.inclusive && to.inclusive);
}

/** Whether values compare by keys of their own bracket. */
function isOrdered(value: Value): boolean {
  return isNumberType(value.type) || ordered.has(value.type);
}

const ordered: ReadonlySet<number> = new Set([
  bsonType.string,
  bsonType.symbol,
  bsonType.object,
  bsonType.binData,
  bsonType.objectId,
  bsonType.bool,
  bsonType.date,
  bsonType.timestamp,
]);
