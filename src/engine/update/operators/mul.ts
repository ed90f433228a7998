import { decimalValue, finite } from "../../bson/decimal.ts";
import { multiplyNumbers } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { doubleValue, int32Value, int64Value, type Value } from "../../bson/value.ts";
import { changeNumber, requireNumber } from "./arithmetic.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$mul`: multiplies; a missing field becomes zero of the factor's type. */
export const $mul: UpdateOperator = (argument, path) => {
  requireNumber(argument, "multiply", path);
  return (current) =>
    current === undefined
      ? zeroLike(argument)
      : changeNumber(current, argument, multiplyNumbers, { operator: "$mul", path });
};

function zeroLike(argument: Value): Value {
  if (argument.type === bsonType.double) return doubleValue(0);
  if (argument.type === bsonType.long) return int64Value(0n);
  return argument.type === bsonType.decimal ? decimalValue(finite(false, 0n, 0)) : int32Value(0);
}
