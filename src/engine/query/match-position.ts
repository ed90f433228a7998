import type { DocumentTest } from "./tests.ts";

/**
 * The array position by which the newest test held, for the positional `$` of updates and projections; -1 for none. One for the whole thread is enough: a filter
 * that is left by a pause begins anew. As in MongoDB the last condition met over an array decides, and `$or`, `$nor` and negations tell nothing.
 */
let newest = -1;

export function recordPosition(position: number): void {
  newest = position;
}

export function newestPosition(): number {
  return newest;
}

/** The test, telling nothing about positions. */
export function withoutPosition(test: DocumentTest): DocumentTest {
  return (bytes, start) => {
    const before = newest;
    const holds = test(bytes, start);
    newest = before;
    return holds;
  };
}

/** The position by which the document fits; undefined when it does not fit, or not by an array. */
export function positionOfMatch(test: DocumentTest, document: Uint8Array): number | undefined {
  newest = -1;
  return test(document, 0) && newest !== -1 ? newest : undefined;
}
