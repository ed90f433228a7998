import { bsonType } from "./types.ts";
import { type Value } from "./value.ts";
import { elementsOf, findField, nameBytes } from "./walk.ts";

/** A dotted path made ready for look-ups. */
export interface Path {
  readonly text: string;
  readonly segments: readonly PathSegment[];
}

export interface PathSegment {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Position when the segment is a plain number, for arrays. */
  readonly index: number | undefined;
}

export function parsePath(text: string): Path {
  return {
    text,
    segments: text.split(".").map((name) => ({
      name,
      bytes: nameBytes(name),
      index: /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : undefined,
    })),
  };
}

/**
 * Visits every value the path leads to in a document, arrays on the way opened as queries do (manual, "Query an Array of Embedded Documents"): a document in an
 * array is looked into, and a number picks an element. `visit` gets undefined for each place where the path ends early; when it answers true, the search stops and
 * true is answered. The last value is handed over as it is, an array whole.
 */
export function visitPath(
  document: Uint8Array,
  start: number,
  path: Path,
  visit: (value: Value | undefined) => boolean,
): boolean {
  return descend(document, start, path.segments, 0, visit);
}

function descend(
  document: Uint8Array,
  start: number,
  segments: readonly PathSegment[],
  depth: number,
  visit: (value: Value | undefined) => boolean,
): boolean {
  const segment = segments[depth] as PathSegment;
  const value = findField(document, start, segment.bytes);
  if (depth === segments.length - 1) return visit(value);
  if (value === undefined) return visit(undefined);
  return continueAt(value, segments, depth + 1, visit);
}

function continueAt(
  value: Value,
  segments: readonly PathSegment[],
  depth: number,
  visit: (value: Value | undefined) => boolean,
): boolean {
  if (value.type === bsonType.object) return descend(value.source, value.start, segments, depth, visit);
  if (value.type !== bsonType.array) return visit(undefined);
  const segment = segments[depth] as PathSegment;
  const elements = elementsOf(value);
  if (segment.index !== undefined) {
    const element = elements[segment.index];
    if (element !== undefined) {
      const stop = depth === segments.length - 1 ? visit(element) : continueAt(element, segments, depth + 1, visit);
      if (stop) return true;
    }
  }
  for (const element of elements) {
    // An array directly inside an array is not looked through: only documents are.
    if (element.type === bsonType.object && descend(element.source, element.start, segments, depth, visit)) return true;
  }
  return false;
}

/** The value at a path without opening arrays: what an exact place holds, for updates and projections of single places. */
export function valueAtPath(document: Uint8Array, path: Path): Value | undefined {
  let value = findField(document, 0, (path.segments[0] as PathSegment).bytes);
  for (const segment of path.segments.slice(1)) {
    if (value === undefined) return undefined;
    if (value.type === bsonType.object) value = findField(value.source, value.start, segment.bytes);
    else if (value.type === bsonType.array && segment.index !== undefined) value = elementsOf(value)[segment.index];
    else return undefined;
  }
  return value;
}
