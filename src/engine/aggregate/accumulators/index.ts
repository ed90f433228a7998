import { located, notSupported } from "../../engine-error.ts";
import type { AccumulatorOperator } from "./accumulator.ts";
import { $firstN, $lastN, $maxN, $minN } from "./counted.ts";
import { $max, $min } from "./extremes.ts";
import { $addToSet, $mergeObjects, $push } from "./lists.ts";
import { $median, $percentile } from "./percentile.ts";
import { $first, $last } from "./positions.ts";
import { $avg, $count, $stdDevPop, $stdDevSamp, $sum } from "./sum.ts";
import { $bottom, $bottomN, $top, $topN } from "./top.ts";

/** Every accumulator of `$group`, by name. */
export const accumulators: ReadonlyMap<string, AccumulatorOperator> = new Map(
  Object.entries({
    $addToSet,
    $avg,
    $bottom,
    $bottomN,
    $count,
    $first,
    $firstN,
    $last,
    $lastN,
    $max,
    $maxN,
    $median,
    $mergeObjects,
    $min,
    $minN,
    $percentile,
    $push,
    $stdDevPop,
    $stdDevSamp,
    $sum,
    $top,
    $topN,
  }),
);

/** The accumulator of that name. Throws 15952 for one that is not there, 238 for JavaScript. */
export function accumulatorNamed(name: string): AccumulatorOperator {
  if (name === "$accumulator") throw notSupported("$accumulator");
  const accumulator = accumulators.get(name);
  if (accumulator === undefined) throw located(15952, `unknown group operator '${name}'`);
  return accumulator;
}
