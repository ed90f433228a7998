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
export function visitPath(
  document: Uint8Array,
  start: number,
  path: Path,
  visit: PathVisitor,
  some: SomeElement = someElement,
): boolean {
  return descend({ segments: path.segments, visit, some }, document, start, 0, -1);
}

/** Whether a test holds for an element of an array, asked one after the other until it does. */
export type SomeElement = (array: Value, test: (element: Value, index: number) => boolean) => boolean;

const someElement: SomeElement = (array, test) => elementsOf(array).some(test);

interface Visit {
  readonly segments: readonly PathSegment[];
  readonly visit: PathVisitor;
  readonly some: SomeElement;
}

function descend(on: Visit, document: Uint8Array, start: number, depth: number, position: number): boolean {
  const segment = on.segments[depth] as PathSegment;
  const value = findField(document, start, segment.bytes);
  if (depth === on.segments.length - 1 || value === undefined) return on.visit(value, position, false);
  return continueAt(on, value, depth + 1, position);
}

function continueAt(on: Visit, value: Value, depth: number, position: number): boolean {
  if (value.type === bsonType.object) return descend(on, value.source, value.start, depth, position);
  if (value.type !== bsonType.array) return on.visit(undefined, position, false);
  const segment = on.segments[depth] as PathSegment;
  if (segment.index !== undefined) {
    const element = elementsOf(value)[segment.index];
    if (element !== undefined) {
      const stop =
        depth === on.segments.length - 1
          ? on.visit(element, position, true)
          : continueAt(on, element, depth + 1, position);
      if (stop) return true;
    }
  }
  // An array directly inside an array is not looked through: only documents are.
  return on.some(
    value,
    (element, index) =>
      element.type === bsonType.object &&
      descend(on, element.source, element.start, depth, position === -1 ? index : position),
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
