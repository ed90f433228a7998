import { compareBytes } from "../bson/bytes.ts";
import type { IndexField } from "../catalog/index-specification.ts";
import {
  arePoints,
  type Bounds,
  boundsUnder,
  type Endpoint,
  everything,
  type Interval,
  intersection,
  rangesMax,
} from "../query/bounds.ts";
import type { Conditions } from "../query/bounds.ts";
import type { Collation } from "../query/collation.ts";
import { hashedKey } from "../storage/index-keys.ts";

/** Keys from `from` on and below `to`, in the order of bytes. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** What conditions on strings say about the keys of an index. */
export type Texts = "nothing" | "bytes" | Collation;

/** What the fields of an index are searched by. */
export interface FieldBounds {
  /** One for each field that has bounds, from the first on. */
  readonly bounds: readonly Bounds[];
  readonly ranges: readonly KeyRange[];
  /** How many fields from the first on have one value only. */
  readonly equal: number;
}

export const wholeIndex: KeyRange = { from: new Uint8Array(0), to: Uint8Array.of(0xff) };

/**
 * Ranges of keys for conditions on the fields of an index. Over arrays (`multikey`) of several conditions on one path only one may be used, since two elements may
 * meet them. `texts`: what conditions on strings say about the keys of an index. Nothing, when the query compares strings otherwise than the index; else their bytes,
 * or what a collation writes for them.
 */
export function boundsThrough(
  fields: readonly IndexField[],
  conditions: Conditions,
  multikey: boolean,
  texts: Texts,
): FieldBounds {
  const bounds: Bounds[] = [];
  let ranges: readonly KeyRange[] = [];
  let equal = 0;
  for (const field of fields) {
    const wanted = boundsOfPath(conditions, field.path.text, multikey, texts);
    if (wanted === undefined || (field.hashed && !arePoints(wanted))) break;
    if (Math.max(ranges.length, 1) * wanted.intervals.length > rangesMax) break;
    const next = extend(ranges, wanted, field, bounds.length === 0);
    ranges = next;
    bounds.push(wanted);
    // Behind a range keys are not in one order any more, and behind several points not in one stretch.
    if (!arePoints(wanted)) break;
    if (wanted.intervals.length === 1 && equal === bounds.length - 1) equal += 1;
  }
  return { bounds, ranges: bounds.length === 0 ? [wholeIndex] : ranges, equal };
}

/** Strings that are looked up by what a collation writes for them, which takes some ten microseconds for each. */
const textsMax = 1000;

/** What a path is held to; over arrays by the narrowest of the conditions. */
export function boundsOfPath(
  conditions: Conditions,
  path: string,
  multikey: boolean,
  texts: Texts,
): Bounds | undefined {
  const known = (conditions.byPath.get(path) ?? [])
    .filter(
      ({ text, intervals }) => !text || texts === "bytes" || (texts !== "nothing" && intervals.length <= textsMax),
    )
    .map((one) => (typeof texts === "string" ? one : boundsUnder(one, (text) => texts.keyOf(text))));
  return multikey ? known.toSorted(byTightness)[0] : meet(known);
}

function meet(known: readonly Bounds[]): Bounds | undefined {
  const [first, ...others] = known;
  return first === undefined ? undefined : others.reduce(intersection, first);
}

function byTightness(one: Bounds, other: Bounds): number {
  const weight = (bounds: Bounds): number =>
    arePoints(bounds) ? bounds.intervals.length : Number.MAX_SAFE_INTEGER - Number(bounds.intervals.length);
  return weight(one) - weight(other);
}

function extend(ranges: readonly KeyRange[], bounds: Bounds, field: IndexField, first: boolean): KeyRange[] {
  const prefixes = first ? [new Uint8Array(0)] : ranges.map(({ from }) => from);
  const parts = bounds.intervals.map((interval) => partOf(interval, field));
  const ordered =
    field.descending || field.hashed ? parts.toSorted((one, other) => compareBytes(one.from, other.from)) : parts;
  return prefixes.flatMap((prefix) =>
    ordered.map(({ from, to }) => ({ from: Buffer.concat([prefix, from]), to: Buffer.concat([prefix, to]) })),
  );
}

/** The interval as a range of keys of an ascending field. */
export function rangeOf(interval: Interval): KeyRange {
  return partOf(interval, { descending: false, hashed: false });
}

/** The interval as a range of keys of one field. */
function partOf(interval: Interval, { descending, hashed }: Pick<IndexField, "descending" | "hashed">): KeyRange {
  if (hashed) {
    const key = hashedKey(interval.from.bytes);
    return { from: key, to: after(key) };
  }
  if (interval === everything) return wholeIndex;
  const [low, high] = descending ? [turned(interval.to), turned(interval.from)] : [interval.from, interval.to];
  return {
    from: low.edge || low.inclusive ? low.bytes : after(low.bytes),
    to: !high.edge && high.inclusive ? after(high.bytes) : high.bytes,
  };
}

/** Above every key that begins with these bytes: what may follow begins below ff. */
function after(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Uint8Array.of(0xff)]);
}

/** The end as a descending field has it. An edge before some byte is one behind its turned self. */
function turned(end: Endpoint): Endpoint {
  if (end.edge) return { ...end, bytes: Uint8Array.of(0x100 - (end.bytes[0] as number)) };
  return { ...end, bytes: end.bytes.map((byte) => ~byte) };
}
