import { located } from "../../engine-error.ts";
import { allElements, arrayOf, mappedList, sortedList } from "../../bson/arrays.ts";
import { emptyDocument } from "../../bson/builder.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { toNumber } from "../../bson/numbers.ts";
import { nullValue, type Value } from "../../bson/value.ts";
import { createSortOrder, parseSort } from "../../query/sort.ts";
import type { ExpressionContext } from "../context.ts";
import { type ExpressionOperator, isNullish, namedArguments, typeOf } from "./operator.ts";

/** `{input, sortBy}`: by fields of the elements, or by the elements themselves (1 or -1). */
export const $sortArray: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["input", "sortBy"] },
    { notObject: 2_942_500, unknown: 2_942_501, missing: 2_942_502 },
  );
  const input = place.compile(given.get("input") as Value);
  const order = orderBy(given.get("sortBy") as Value, place.context);
  return (root) => {
    const value = input(root);
    if (isNullish(value)) return nullValue;
    const array: Value = value;
    if (array.type !== bsonType.array)
      throw located(2_942_504, `The input argument to $sortArray must be an array, but was of type: ${typeOf(array)}`);
    return arrayOf(order(allElements(array)));
  };
};

function orderBy(
  sortBy: Value,
  { compare, collation }: ExpressionContext,
): (elements: readonly Value[]) => readonly Value[] {
  if (isNumberType(sortBy.type)) {
    const direction = toNumber(sortBy);
    if (direction !== 1 && direction !== -1) throw located(2_942_506, "The $sort element value must be either 1 or -1");
    return (elements) => sortedList(elements, (one, other) => direction * compare(one, other));
  }
  if (sortBy.type !== bsonType.object)
    throw located(2_942_507, "The $sort must be either an object with fields or 1 or -1");
  const order = createSortOrder(parseSort(sortBy.bytes()), collation);
  return (elements) => {
    const keyed = mappedList(elements, (element) => ({
      element,
      key: order.keyOf(element.type === bsonType.object ? element.bytes() : emptyDocument),
    }));
    return mappedList(
      sortedList(keyed, (one, other) => order.compare(one.key, other.key)),
      ({ element }) => element,
    );
  };
}
