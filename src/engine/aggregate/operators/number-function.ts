import { type EngineError, located } from "../../engine-error.ts";
import { type Decimal, decimalValue } from "../../bson/decimal.ts";
import { toDecimal, toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, nullValue, type Value } from "../../bson/value.ts";
import { type ExpressionOperator, isNullish, shownNumber, typeOf, unary } from "./operator.ts";

/** Where a function has a value, and the error of what is elsewhere; NaN is let through. */
export interface Domain {
  accepts(value: number): boolean;
  refuse(name: string, shown: string): EngineError;
}

/** A function of one number: a double of doubles and whole numbers, a decimal of decimals. Throws 28765 for what is no number, and what the domain has for others. */
export function ofNumber(
  compute: (value: number) => number,
  computeDecimal: (value: Decimal) => Decimal,
  domain?: Domain,
): ExpressionOperator {
  return unary((value, { name }) => {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (!isNumberType(given.type)) throw located(28_765, `${name} only supports numeric types, not ${typeOf(given)}`);
    const number = toNumber(given);
    if (domain !== undefined && !Number.isNaN(number) && !domain.accepts(number))
      throw domain.refuse(name, shownNumber(given));
    if (given.type === bsonType.decimal) return decimalValue(computeDecimal(toDecimal(given)));
    return doubleValue(compute(number));
  });
}
