import { located, notSupported } from "../../engine-error.ts";
import type { AccumulatorOperator } from "./accumulator.ts";
import { $max, $min } from "./extremes.ts";
import { $addToSet, $mergeObjects, $push } from "./lists.ts";
import { $first, $last } from "./positions.ts";
import { $avg, $count, $stdDevPop, $stdDevSamp, $sum, singleOperand } from "./sum.ts";

/** Every accumulator of `$group`, by name. */
const accumulators: ReadonlyMap<string, AccumulatorOperator> = new Map(
  Object.entries({
    $addToSet: singleOperand($addToSet),
    $avg: singleOperand($avg),
    $count,
    $first: singleOperand($first),
    $last: singleOperand($last),
    $max: singleOperand($max),
    $mergeObjects: singleOperand($mergeObjects),
    $min: singleOperand($min),
    $push: singleOperand($push),
    $stdDevPop: singleOperand($stdDevPop),
    $stdDevSamp: singleOperand($stdDevSamp),
    $sum: singleOperand($sum),
  }),
);

/** The accumulator of that name. Throws 15952 for one that is not there, 238 for JavaScript. */
export function accumulatorNamed(name: string): AccumulatorOperator {
  if (name === "$accumulator") throw notSupported("$accumulator");
  const accumulator = accumulators.get(name);
  if (accumulator === undefined) throw located(15952, `unknown group operator '${name}'`);
  return accumulator;
}
