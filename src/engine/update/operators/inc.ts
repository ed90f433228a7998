import { addNumbers } from "../../bson/numbers.ts";
import { changeNumber, requireNumber } from "./arithmetic.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$inc`: adds; a missing field becomes the amount. */
export const $inc: UpdateOperator = (argument, path) => {
  requireNumber(argument, "increment", path);
  return (current) =>
    current === undefined ? argument : changeNumber(current, argument, addNumbers, { operator: "$inc", path });
};
