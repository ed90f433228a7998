import { EngineError } from "../engine-error.ts";

/**
 * Most steps that one operator over an array may take for one document, those of all operators within it counted: about a second. An expression runs without
 * a pause, so that nothing else could stop loops within loops.
 */
export const stepsMax = 1_000_000;

let depth = 0;
let steps = 0;

/** Runs an operator over an array; only the outermost begins to count anew. */
export function iterating<Result>(work: () => Result): Result {
  if (depth === 0) steps = 0;
  depth += 1;
  try {
    return work();
  } finally {
    depth -= 1;
  }
}

/** Counts steps. Throws 262 ExceededTimeLimit when they are too many. */
export function charge(count: number): void {
  if (depth === 0) return;
  steps += count;
  if (steps > stepsMax)
    throw new EngineError(
      262,
      "ExceededTimeLimit",
      `an expression takes more than ${stepsMax} steps over the arrays of one document`,
    );
}
