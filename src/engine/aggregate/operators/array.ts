import { located } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { boolValue, int32Value, nullValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldCount } from "../../bson/walk.ts";
import {
  binary,
  type ExpressionOperator,
  int32Of,
  isNullish,
  isNumber,
  shownNumber,
  typeOf,
  unary,
  variadic,
} from "./operator.ts";

export const $size: ExpressionOperator = unary((value) => {
  if (value?.type !== bsonType.array)
    throw located(17_124, `The argument to $size must be an array, but was of type: ${typeOf(value)}`);
  return int32Value(fieldCount(value));
});

export const $isArray: ExpressionOperator = unary((value) => boolValue(value?.type === bsonType.array));

export const $arrayElemAt: ExpressionOperator = binary((array, index) => {
  if (isNullish(array) || isNullish(index)) return nullValue;
  const [list, place] = [array as Value, index as Value];
  if (list.type !== bsonType.array)
    throw located(28_689, `$arrayElemAt's first argument must be an array, but is ${typeOf(list)}`);
  if (!isNumber(place))
    throw located(28_690, `$arrayElemAt's second argument must be a numeric value, but is ${typeOf(place)}`);
  const position = int32Of(place);
  if (position === undefined)
    throw located(
      28_691,
      `$arrayElemAt's second argument must be representable as a 32-bit integer: ${shownNumber(place)}`,
    );
  return elementsOf(list).at(position);
});

export const $in: ExpressionOperator = binary((value, array, { context }) => {
  if (array?.type !== bsonType.array)
    throw located(40_081, `$in requires an array as a second argument, found: ${typeOf(array)}`);
  return boolValue(value !== undefined && elementsOf(array).some((element) => context.compare(element, value) === 0));
});

export const $concatArrays: ExpressionOperator = variadic((arrays) => {
  const elements: Value[] = [];
  for (const array of arrays) {
    if (isNullish(array)) return nullValue;
    const given: Value = array;
    if (given.type !== bsonType.array)
      throw located(28_664, `$concatArrays only supports arrays, not ${typeOf(given)}`);
    for (const element of elementsOf(given)) elements.push(element);
  }
  return arrayValue(elements);
});
