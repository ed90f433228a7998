import { failedToParse, located } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { int64Of, textOf, type Value, wholeNumberOf } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { SortField } from "../../query/sort.ts";
import type { Expression } from "../context.ts";
import { addUnits, type Unit, unitOf } from "../dates/units.ts";
import { utc } from "../dates/zone.ts";
import { typeOf } from "../operators/operator.ts";

type Edge = "unbounded" | number;

/** Which documents around one a function sees: by their places, or by the values they are ordered by. */
export interface Bounds {
  readonly kind: "documents" | "range";
  readonly lower: Edge;
  readonly upper: Edge;
  readonly unit: Unit | undefined;
}

/** Reads `window` for documents in that order. Throws 9 FailedToParse and others for what is none, or needs another order. */
export function parseBounds(window: Value, sort: readonly SortField[]): Bounds | undefined {
  if (window.type !== bsonType.object) throw failedToParse("'window' field must be an object");
  let kind: Bounds["kind"] | undefined;
  let edges: readonly [Edge, Edge] | undefined;
  let unit: Unit | undefined;
  for (const { name, value } of fieldsOfValue(window)) {
    if (name === "documents" || name === "range") {
      if (kind !== undefined) throw failedToParse("'window' field can only contain 'documents' or 'range', not both");
      kind = name;
      edges = edgesOf(name, value);
    } else if (name === "unit") unit = unitOf(value, "window", 9);
    else
      throw failedToParse(
        "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field",
      );
  }
  if (kind === undefined || edges === undefined) {
    if (unit !== undefined) throw failedToParse("Window bounds can only specify 'unit' with range-based bounds.");
    return undefined;
  }
  if (kind === "documents" && unit !== undefined)
    throw failedToParse("Window bounds can only specify 'unit' with range-based bounds.");
  const [lower, upper] = edges;
  if (lower !== "unbounded" && upper !== "unbounded" && lower > upper)
    throw located(5_339_900, `Lower bound must not exceed upper bound: [${lower}, ${upper}]`);
  checkOrder(kind, lower === "unbounded" && upper === "unbounded", unit, sort);
  return { kind, lower, upper, unit };
}

function checkOrder(kind: Bounds["kind"], isWhole: boolean, unit: Unit | undefined, sort: readonly SortField[]): void {
  if (kind === "documents") {
    if (!isWhole && sort.length === 0) throw located(5_339_901, "Document-based bounds require a sortBy");
    return;
  }
  const [only, more] = sort;
  if (only === undefined || more !== undefined)
    throw located(
      isWhole ? (unit === undefined ? 5_397_901 : 5_397_902) : 5_339_902,
      "Range-based bounds require sortBy a single field",
    );
  if (only.descending) throw located(8_947_401, "Range-based bounds require an ascending sortBy");
}

function edgesOf(kind: Bounds["kind"], value: Value): readonly [Edge, Edge] {
  const edges = value.type === bsonType.array ? elementsOf(value) : [];
  if (edges.length !== 2) throw failedToParse(`Window bounds must be a 2-element array: ${kind}`);
  return edges.map((edge) => edgeOf(kind, edge)) as unknown as readonly [Edge, Edge];
}

function edgeOf(kind: Bounds["kind"], value: Value): Edge {
  if (value.type === bsonType.string) {
    const text = textOf(value);
    if (text === "unbounded") return text;
    if (text === "current") return 0;
  }
  if (!isNumberType(value.type)) throw failedToParse("Window bounds must be 'unbounded', 'current', or a number.");
  const number = kind === "documents" ? wholeNumberOf(value) : toNumber(value);
  if (number === undefined) throw failedToParse(`Numeric document-based bounds must be an integer`);
  return number;
}

/** The part of a partition that a document's window covers, from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Spans of all documents' windows. Both ends only move forwards. */
export function spansOf(
  bounds: Bounds | undefined,
  roots: readonly Value[],
  sortValue: Expression | undefined,
): Span[] {
  const count = roots.length;
  if (bounds === undefined) return roots.map(() => ({ start: 0, end: count }));
  if (bounds.kind === "documents") {
    const { lower, upper } = bounds;
    return roots.map((_root, index) => ({
      start: lower === "unbounded" ? 0 : clamp(index + lower, count),
      end: upper === "unbounded" ? count : clamp(index + upper + 1, count),
    }));
  }
  return rangeSpans(bounds, roots, sortValue as Expression);
}

function clamp(place: number, count: number): number {
  return Math.max(0, Math.min(place, count));
}

function rangeSpans({ lower, upper, unit }: Bounds, roots: readonly Value[], sortValue: Expression): Span[] {
  const numbers = roots.map((root) => placeOf(sortValue(root), unit));
  const move = (number: number, edge: number): number =>
    unit === undefined ? number + edge : addUnits(number, unit, edge, utc);
  let [start, end] = [0, 0];
  return numbers.map((number) => {
    if (lower === "unbounded") start = 0;
    else {
      const least = move(number, lower);
      while (start < numbers.length && (numbers[start] as number) < least) start += 1;
    }
    if (upper === "unbounded") end = numbers.length;
    else {
      const most = move(number, upper);
      while (end < numbers.length && (numbers[end] as number) <= most) end += 1;
    }
    return { start, end: Math.max(start, end) };
  });
}

function placeOf(value: Value | undefined, unit: Unit | undefined): number {
  if (unit === undefined) {
    if (value === undefined || !isNumberType(value.type))
      throw located(5_429_414, `Invalid range: Expected the sortBy field to be a number, but it was ${typeOf(value)}`);
    return toNumber(value);
  }
  if (value?.type !== bsonType.date)
    throw located(5_429_513, `Invalid range: Expected the sortBy field to be a Date, but it was ${typeOf(value)}`);
  return Number(int64Of(value));
}
