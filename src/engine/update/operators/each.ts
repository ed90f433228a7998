import { badValue, typeMismatch } from "../../engine-error.ts";
import { toNumber, truncated } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";

/** The modifiers of `{$each: [...], ...}` by name; undefined when the argument is a value to be added as it is. */
export function modifiersOf(argument: Value): ReadonlyMap<string, Value> | undefined {
  if (argument.type !== bsonType.object) return undefined;
  const modifiers = new Map(Array.from(fieldsOfValue(argument), ({ name, value }) => [name, value]));
  return modifiers.has("$each") ? modifiers : undefined;
}

/** Values of `$each`. Throws 14 TypeMismatch when it is no array. */
export function eachOf(modifiers: ReadonlyMap<string, Value>, operator: string): readonly Value[] {
  const each = modifiers.get("$each") as Value;
  if (each.type !== bsonType.array)
    throw typeMismatch(
      `The argument to $each in ${operator} must be an array but it was of type: ${typeName(each.type)}`,
    );
  return elementsOf(each);
}

/** A modifier that is a whole number, held within what arrays can have. Throws 2 BadValue for anything else. */
export function wholeModifier(modifiers: ReadonlyMap<string, Value> | undefined, name: string): number | undefined {
  const value = modifiers?.get(name);
  if (value === undefined) return undefined;
  const whole = isNumberType(value.type) ? truncated(value) : undefined;
  if (whole === undefined || Number(whole) !== toNumber(value))
    throw badValue(`The value for ${name} must be an integer value but was given type: ${typeName(value.type)}`);
  return Math.max(-2_147_483_648, Math.min(Number(whole), 2_147_483_647));
}
