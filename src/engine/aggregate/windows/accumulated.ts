import { nullValue, type Value } from "../../bson/value.ts";
import type { Accumulator, AccumulatorOperator } from "../accumulators/accumulator.ts";
import { Work } from "../../steps.ts";
import { spansOf } from "./bounds.ts";
import { stepsBetweenPauses, type WindowFunction, type WindowOperator } from "./window-function.ts";

/** An accumulator over each document's window. A window that only grows is added to, others are gone through anew. */
export function accumulated(operator: AccumulatorOperator): WindowOperator {
  return (argument, place) => {
    const { bounds, sortValue } = place;
    const create = operator(argument, place);
    const compute: WindowFunction = function* compute({ roots }) {
      const spans = spansOf(bounds, roots, sortValue);
      const results: (Value | undefined)[] = [];
      let accumulator = create(nullValue);
      let covered = { start: 0, end: 0 };
      let last: Value | undefined;
      const add = new Work((root: Value) => accumulator.add(root));
      const result = new Work((one: Accumulator) => one.result());
      let steps = 0;
      for (const span of spans) {
        if (span.start !== covered.start || results.length === 0) {
          accumulator = create(nullValue);
          covered = { start: span.start, end: span.start };
        }
        const grew = span.end > covered.end || results.length === 0 || covered.end === covered.start;
        for (let index = covered.end; index < span.end; index += 1) {
          yield* add.pausing(roots[index] as Value);
          steps += 1;
          if (steps % stepsBetweenPauses === 0) yield undefined;
        }
        // What did not grow has the same result; arrays of the whole partition are made once.
        if (grew) last = yield* result.pausing(accumulator);
        results.push(last);
        covered = span;
      }
      return results;
    };
    return compute;
  };
}
