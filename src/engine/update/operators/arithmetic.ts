import { badValue, typeMismatch } from "../../engine-error.ts";
import { isNumberType, typeName } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";

/** Throws 14 TypeMismatch when an argument is no number. */
export function requireNumber(argument: Value, verb: string, path: string): void {
  if (!isNumberType(argument.type))
    throw typeMismatch(`Cannot ${verb} with non-numeric argument: {${path}: ${typeName(argument.type)}}`);
}

/** The result of both numbers, or the current value itself when nothing changes. Throws 14 for what is no number, 2 when 64 bits do not hold the result. */
export function changeNumber(
  current: Value,
  argument: Value,
  compute: (one: Value, other: Value) => Value | undefined,
  { operator, path }: { readonly operator: string; readonly path: string },
): Value {
  if (!isNumberType(current.type))
    throw typeMismatch(
      `Cannot apply ${operator} to a value of non-numeric type. The field '${path}' has non-numeric type ${typeName(current.type)}`,
    );
  const result = compute(current, argument);
  if (result === undefined)
    throw badValue(
      `Failed to apply ${operator} operations to current value: the result for '${path}' does not fit a 64-bit integer`,
    );
  return result;
}
