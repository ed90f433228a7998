import { valueOrder } from "../../query/collation.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$min`: the lesser of both in the order of all types. */
export const $min: UpdateOperator = (argument, _path, collation) => {
  const compare = valueOrder(collation);
  return (current) => (current === undefined || compare(argument, current) < 0 ? argument : current);
};
