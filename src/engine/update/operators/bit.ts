import { badValue } from "../../engine-error.ts";
import { wide } from "../../bson/numbers.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { int32Value, int64Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$bit`: `and`, `or`, `xor` of whole numbers, one after the other. */
export const $bit: UpdateOperator = (argument, path) => {
  if (argument.type !== bsonType.object)
    throw badValue(
      `The $bit modifier is not compatible with a ${typeName(argument.type)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  const steps = [...fieldsOfValue(argument)];
  if (steps.length === 0)
    throw badValue("You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}");
  for (const { name, value } of steps) {
    if (!["and", "or", "xor"].includes(name))
      throw badValue(
        `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator`,
      );
    if (value.type !== bsonType.int && value.type !== bsonType.long)
      throw badValue("The $bit modifier field must be an Integer(32/64 bit)");
  }
  return (current) => {
    if (current !== undefined && current.type !== bsonType.int && current.type !== bsonType.long) {
      throw badValue(
        `Cannot apply $bit to a value of non-integral type: ${path} has the field of type ${typeName(current.type)}`,
      );
    }
    let isLong = current?.type === bsonType.long;
    let bits = current === undefined ? 0n : wide(current);
    for (const { name, value } of steps) {
      isLong ||= value.type === bsonType.long;
      if (name === "and") bits &= wide(value);
      else if (name === "or") bits |= wide(value);
      else bits ^= wide(value);
    }
    return isLong ? int64Value(bits) : int32Value(Number(bits));
  };
};
