import { badValue, EngineError, typeMismatch } from "../engine-error.ts";
import { compareValues } from "../bson/compare.ts";
import { addNumbers, multiplyNumbers, wide } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import { doubleValue, int32Value, int64Value, type Value } from "../bson/value.ts";
import { fieldsOfValue } from "../bson/walk.ts";
import { decimalValue, finite } from "../bson/decimal.ts";
import type { Change } from "./mutable.ts";

/** `$inc`: adds; a missing field becomes the amount. */
export function $inc(argument: Value, path: string): Change {
  requireNumber(argument, "increment", path);
  return (current) =>
    current === undefined ? argument : arithmetic(current, argument, addNumbers, "$inc", "increment", path);
}

/** `$mul`: multiplies; a missing field becomes zero of the factor's type. */
export function $mul(argument: Value, path: string): Change {
  requireNumber(argument, "multiply", path);
  return (current) =>
    current === undefined ? zeroOf(argument) : arithmetic(current, argument, multiplyNumbers, "$mul", "multiply", path);
}

export function $min(argument: Value): Change {
  return (current) => (current === undefined || compareValues(argument, current) < 0 ? argument : current);
}

export function $max(argument: Value): Change {
  return (current) => (current === undefined || compareValues(argument, current) > 0 ? argument : current);
}

/** `$bit`: `and`, `or`, `xor` of whole numbers, one after the other. */
export function $bit(argument: Value, path: string): Change {
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
}

function requireNumber(argument: Value, verb: string, path: string): void {
  if (!isNumberType(argument.type))
    throw typeMismatch(`Cannot ${verb} with non-numeric argument: {${path}: ${typeName(argument.type)}}`);
}

function arithmetic(
  current: Value,
  argument: Value,
  compute: (one: Value, other: Value) => Value | undefined,
  operator: string,
  verb: string,
  path: string,
): Value {
  if (!isNumberType(current.type)) {
    throw typeMismatch(
      `Cannot apply ${operator} to a value of non-numeric type. The field '${path}' has type ${typeName(current.type)}`,
    );
  }
  const result = compute(current, argument);
  if (result === undefined)
    throw new EngineError(
      2,
      "BadValue",
      `Failed to apply ${operator} operations to current value: ${verb} of '${path}' leaves the range of NumberLong`,
    );
  return result;
}

function zeroOf(argument: Value): Value {
  if (argument.type === bsonType.double) return doubleValue(0);
  if (argument.type === bsonType.long) return int64Value(0n);
  return argument.type === bsonType.decimal ? decimalValue(finite(false, 0n, 0)) : int32Value(0);
}
