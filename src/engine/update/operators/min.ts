import { compareValues } from "../../bson/compare.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$min`: the lesser of both in the order of all types. */
export const $min: UpdateOperator = (argument) => (current) =>
  current === undefined || compareValues(argument, current) < 0 ? argument : current;
