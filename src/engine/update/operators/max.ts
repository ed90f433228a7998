import { compareValues } from "../../bson/compare.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$max`: the greater of both in the order of all types. */
export const $max: UpdateOperator = (argument) => (current) =>
  current === undefined || compareValues(argument, current) > 0 ? argument : current;
