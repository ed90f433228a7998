import { badValue } from "../../engine-error.ts";
import { truncated, toNumber } from "../../bson/numbers.ts";
import { isNumberType } from "../../bson/types.ts";
import { fieldCount } from "../../bson/walk.ts";
import { wholeArrayTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** `$size`: an array of exactly so many elements. */
export const $size: QueryOperator = (argument, { path }) => {
  const whole = isNumberType(argument.type) ? truncated(argument) : undefined;
  if (whole === undefined || toNumber(argument) !== Number(whole))
    throw badValue("Failed to parse $size. Expected an integer");
  if (whole < 0n) throw badValue("Failed to parse $size. Expected a non-negative number");
  const size = Number(whole);
  return wholeArrayTest(path, (stored) => (fieldCount(stored) === size ? -1 : undefined));
};
