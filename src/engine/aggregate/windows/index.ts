import { failedToParse } from "../../engine-error.ts";
import { accumulators } from "../accumulators/index.ts";
import { accumulated } from "./accumulated.ts";
import { $covariancePop, $covarianceSamp } from "./covariance.ts";
import { $linearFill, $locf } from "./fills.ts";
import { $denseRank, $documentNumber, $rank, $shift } from "./ranks.ts";
import { $derivative, $expMovingAvg, $integral } from "./rates.ts";
import type { WindowOperator } from "./window-function.ts";

/** Every function of `$setWindowFields`, by name. */
const windowOperators: ReadonlyMap<string, WindowOperator> = new Map<string, WindowOperator>([
  // `$mergeObjects` has no windows (manual, "$setWindowFields").
  ...Array.from(accumulators, ([name, operator]) => [name, accumulated(operator)] as const).filter(
    ([name]) => name !== "$mergeObjects",
  ),
  ...Object.entries({
    $covariancePop,
    $covarianceSamp,
    $denseRank,
    $derivative,
    $documentNumber,
    $expMovingAvg,
    $integral,
    $linearFill,
    $locf,
    $rank,
    $shift,
  }),
]);

/** Throws 9 FailedToParse for functions that are not there. */
export function windowOperatorNamed(name: string): WindowOperator {
  const operator = windowOperators.get(name);
  if (operator === undefined) throw failedToParse(`Unrecognized window function, ${name}`);
  return operator;
}
