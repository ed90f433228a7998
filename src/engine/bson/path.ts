import { EngineError } from "../engine-error.ts";
import { bsonType } from "./types.ts";
import { nestingDepthMax } from "./validate.ts";
import { type Value } from "./value.ts";
import { elementsOf, findField, nameBytes } from "./walk.ts";

/** A dotted path made ready for look-ups. */
export interface Path {
  readonly text: string;
  readonly segments: readonly PathSegment[];
  /** Whether an array at the path's end stands for its elements too, as everywhere but inside `$elemMatch` over values. */
  readonly opensLeaf: boolean;
}

export interface PathSegment {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Position when the segment is a plain number, for arrays. */
  readonly index: number | undefined;
}

/** Throws 15 Overflow for a path that leads deeper than documents can be. */
export function refuseDeepPath(segments: readonly string[]): void {
  if (segments.length > nestingDepthMax)
    throw new EngineError(15, "Overflow", `a path has more than ${nestingDepthMax} parts`);
}

export function parsePath(text: string, opensLeaf: boolean = true): Path {
  return {
    text,
    opensLeaf,
    segments: text.split(".").map((name) => ({
      name,
      bytes: nameBytes(name),
      index: /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : undefined,
    })),
  };
}

/**
 * Told of a place that a path leads to: its value, or undefined where the path ends early; the position in the outermost array that was looked through on the way,
 * or -1; and whether the value was picked from an array by number, so that it is not opened again. Answering true stops the search.
 */
export type PathVisitor = (value: Value | undefined, position: number, picked: boolean) => boolean;

/**
 * Visits every value the path leads to in a document, arrays on the way opened as queries do (manual, "Query an Array of Embedded Documents"): a document in an
 * array is looked into, and a number picks an element. True when a visit answered true. The last value is handed over as it is, an array whole. Nothing is
 * visited below an array that holds no documents.
 */
export function visitPath(document: Uint8Array, start: number, path: Path, visit: PathVisitor): boolean {
  return descend(document, start, path.segments, 0, visit, -1);
}

function descend(
  document: Uint8Array,
  start: number,
  segments: readonly PathSegment[],
  depth: number,
  visit: PathVisitor,
  position: number,
): boolean {
  const segment = segments[depth] as PathSegment;
  const value = findField(document, start, segment.bytes);
  if (depth === segments.length - 1 || value === undefined) return visit(value, position, false);
  return continueAt(value, segments, depth + 1, visit, position);
}

function continueAt(
  value: Value,
  segments: readonly PathSegment[],
  depth: number,
  visit: PathVisitor,
  position: number,
): boolean {
  if (value.type === bsonType.object) return descend(value.source, value.start, segments, depth, visit, position);
  if (value.type !== bsonType.array) return visit(undefined, position, false);
  const segment = segments[depth] as PathSegment;
  const elements = elementsOf(value);
  if (segment.index !== undefined) {
    const element = elements[segment.index];
    if (element !== undefined) {
      const stop =
        depth === segments.length - 1
          ? visit(element, position, true)
          : continueAt(element, segments, depth + 1, visit, position);
      if (stop) return true;
    }
  }
  // An array directly inside an array is not looked through: only documents are.
  return elements.some(
    (element, index) =>
      element.type === bsonType.object &&
      descend(element.source, element.start, segments, depth, visit, position === -1 ? index : position),
  );
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
