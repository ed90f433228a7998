import { badValue } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeOrder } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { valueOrder } from "../collation.ts";
import { refuseUndefined } from "../equality.ts";
import { anyValueTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** Comparisons hold among values of one bracket of types only (manual, "Comparison/Sort Order"); NaN is equal to itself and neither below nor above anything. */
export const $gt: QueryOperator = comparison((order) => order > 0);
export const $gte: QueryOperator = comparison((order) => order >= 0);
export const $lt: QueryOperator = comparison((order) => order < 0);
export const $lte: QueryOperator = comparison((order) => order <= 0);

function comparison(accepts: (order: number) => boolean): QueryOperator {
  return (argument, { path, collation }) => {
    const compare = valueOrder(collation);
    refuseUndefined(argument);
    if (argument.type === bsonType.regex)
      throw badValue(`Can't have RegEx as arg to predicate over field '${path.text}'.`);
    // Null, undefined and missing are one to queries, and nothing else is in their bracket.
    if (argument.type === bsonType.null)
      return anyValueTest(
        path,
        (stored) => accepts(0) && (stored.type === bsonType.null || stored.type === bsonType.undefined),
        accepts(0),
      );
    const everyType = argument.type === bsonType.minKey || argument.type === bsonType.maxKey;
    const bracket = typeOrder(argument.type);
    const argumentIsNaN = isNaNValue(argument);
    return anyValueTest(
      path,
      (stored) => {
        if (!everyType && typeOrder(stored.type) !== bracket) return false;
        // NaN sorts below every number, yet a query meets it by equality alone.
        if (isNaNValue(stored) !== argumentIsNaN && !everyType) return false;
        return accepts(compare(stored, argument));
      },
      false,
    );
  };
}

function isNaNValue(value: Value): boolean {
  if (value.type === bsonType.int || value.type === bsonType.long || !isNumberType(value.type)) return false;
  return Number.isNaN(toNumber(value));
}
