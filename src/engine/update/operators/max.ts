import { valueOrder } from "../../query/collation.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$max`: the greater of both in the order of all types. */
export const $max: UpdateOperator = (argument, _path, collation) => {
  const compare = valueOrder(collation);
  return (current) => (current === undefined || compare(argument, current) > 0 ? argument : current);
};
