import { type Path, visitPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import type { Value } from "../bson/value.ts";
import { elementsOf } from "../bson/walk.ts";
import type { Bounds } from "./bounds.ts";

/** Whether a document, beginning at `start` of the bytes, fits. */
export type DocumentTest = (bytes: Uint8Array, start: number) => boolean;

/** Whether one value fits. */
export type ValueTest = (value: Value) => boolean;

/** Turns an aggregation expression into a function of a document, for `$expr`. */
export type CompileExpression = (
  expression: Value,
  variables: Uint8Array | undefined,
) => (document: Uint8Array) => Value | undefined;

export interface FilterOptions {
  readonly compileExpression?: CompileExpression | undefined;
  /** Document given under `let`. */
  readonly variables?: Uint8Array | undefined;
}

/** Compiles a nested query document; handed to operators that hold one, since documents hold operators and operators documents. */
export type CompileDocument = (
  bytes: Uint8Array,
  start: number,
  bounds: Map<string, Bounds> | undefined,
) => DocumentTest[];

/**
 * A test that holds when some value the path leads to passes: the value itself, or an element of it when it is an array. `matchesMissing` says whether a place
 * where the path ends early passes.
 */
export function anyValueTest(path: Path, test: ValueTest, matchesMissing: boolean): DocumentTest {
  const visit = (value: Value | undefined): boolean => {
    if (value === undefined) return matchesMissing;
    if (test(value)) return true;
    return value.type === bsonType.array && elementsOf(value).some(test);
  };
  const only = path.segments.length === 1;
  if (!only && matchesMissing) return (bytes, start) => missingAware(bytes, start, path, visit);
  return (bytes, start) => visitPath(bytes, start, path, visit);
}

/** `{a.b: null}` holds where a path ends early, but an empty array on the way holds nothing at all, which is missing too. */
function missingAware(
  bytes: Uint8Array,
  start: number,
  path: Path,
  visit: (value: Value | undefined) => boolean,
): boolean {
  let places = 0;
  const found = visitPath(bytes, start, path, (value) => {
    places += 1;
    return visit(value);
  });
  return found || places === 0;
}

export function all(tests: readonly DocumentTest[]): DocumentTest {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (bytes, start) => first(bytes, start) && second(bytes, start);
  return (bytes, start) => tests.every((test) => test(bytes, start));
}
