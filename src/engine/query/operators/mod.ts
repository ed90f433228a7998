import { badValue } from "../../engine-error.ts";
import { truncated } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { numberOf, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { anyValueTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** `$mod: [divisor, remainder]`: numbers are cut to whole ones; what has no whole number in 64 bits never passes. */
export const $mod: QueryOperator = (argument, { path }) => {
  if (argument.type !== bsonType.array) throw badValue("malformed mod, needs to be an array");
  const [first, second, third] = elementsOf(argument);
  if (first === undefined || second === undefined) throw badValue("malformed mod, not enough elements");
  if (third !== undefined) throw badValue("malformed mod, too many elements");
  const divisor = wholePart(first, "divisor");
  const remainder = wholePart(second, "remainder");
  if (divisor === 0n) throw badValue("divisor cannot be 0");
  const [smallDivisor, smallRemainder] = [Number(divisor), Number(remainder)];
  const small = Number.isSafeInteger(smallDivisor) && Number.isSafeInteger(smallRemainder);
  return anyValueTest(
    path,
    (stored) => {
      if (small && (stored.type === bsonType.int || stored.type === bsonType.double)) {
        const number = Math.trunc(numberOf(stored));
        if (Number.isSafeInteger(number)) return number % smallDivisor === smallRemainder;
      }
      const whole = isNumberType(stored.type) ? truncated(stored) : undefined;
      return whole !== undefined && whole % divisor === remainder;
    },
    false,
  );
};

function wholePart(value: Value, name: string): bigint {
  if (!isNumberType(value.type)) throw badValue(`malformed mod, ${name} not a number`);
  const whole = truncated(value);
  if (whole === undefined)
    throw badValue(`malformed mod, ${name} value is invalid :: caused by :: Out of bounds coercing to integral value`);
  return whole;
}
