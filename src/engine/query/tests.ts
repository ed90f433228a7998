import { type Path, type PathVisitor, visitPath } from "../bson/path.ts";
import { bsonType } from "../bson/types.ts";
import type { Value } from "../bson/value.ts";
import type { Conditions } from "./bounds.ts";
import type { Collation } from "./collation.ts";
import { findElement, someElement, someTest } from "./element-search.ts";
import { recordPosition, withoutPosition } from "./match-position.ts";

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
  /** How strings compare; undefined: by their bytes. */
  readonly collation?: Collation | undefined;
  /** Whether the query stands in an operator over array elements, where `$expr` must not be. */
  readonly insideElement?: boolean;
}

/** Compiles a nested query document; handed to operators that hold one, since documents hold operators and operators documents. */
export type CompileDocument = (bytes: Uint8Array, start: number, conditions: Conditions | undefined) => DocumentTest[];

/**
 * A test that holds when some value the path leads to passes: an element of it when it is an array, or the value itself. `matchesMissing` says whether a place
 * where the path ends early passes.
 */
export function anyValueTest(path: Path, test: ValueTest, matchesMissing: boolean): DocumentTest {
  const { opensLeaf } = path;
  const visit: PathVisitor = (value, position, picked) => {
    if (value === undefined) {
      if (!matchesMissing) return false;
    } else if (value.type === bsonType.array && opensLeaf && !picked) {
      const index = findElement(value, (element) => test(element));
      if (index === -1 && !test(value)) return false;
      if (index !== -1 && position === -1) recordPosition(index);
    } else if (!test(value)) {
      return false;
    }
    if (position !== -1) recordPosition(position);
    return true;
  };
  return (bytes, start) => visitPath(bytes, start, path, visit, someElement);
}

/** A test of arrays as wholes; `test` answers the position of the element that decides, any number below 0 when none does, undefined when it does not hold. */
export function wholeArrayTest(path: Path, test: (array: Value) => number | undefined): DocumentTest {
  const visit: PathVisitor = (value, position) => {
    const found = value?.type === bsonType.array ? test(value) : undefined;
    if (found === undefined) return false;
    if (position !== -1 || found >= 0) recordPosition(position === -1 ? found : position);
    return true;
  };
  return (bytes, start) => visitPath(bytes, start, path, visit, someElement);
}

/** Holds when the other does not. */
export function negated(test: DocumentTest): DocumentTest {
  const silent = withoutPosition(test);
  return (bytes, start) => !silent(bytes, start);
}

export function all(tests: readonly DocumentTest[]): DocumentTest {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (bytes, start) => first(bytes, start) && second(bytes, start);
  return (bytes, start) => !someTest(tests, (test) => !test(bytes, start));
}
