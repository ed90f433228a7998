import { EngineError, located } from "../../engine-error.ts";
import { allElements, arrayOf } from "../../bson/arrays.ts";
import { ArrayBuilder } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { boolValue, int32Value, nullValue, type Value } from "../../bson/value.ts";
import { elementsOf, fieldCount } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { findElement } from "../../query/element-search.ts";
import { charge, type Loop, looped } from "../../steps.ts";
import {
  binary,
  countedArguments,
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
  return boolValue(
    value !== undefined && findElement(array, (element) => context.compare(element, value) === 0) !== -1,
  );
});

export const $concatArrays: ExpressionOperator = variadic((arrays) => {
  const elements: Value[] = [];
  for (const array of arrays) {
    if (isNullish(array)) return nullValue;
    const given: Value = array;
    if (given.type !== bsonType.array)
      throw located(28_664, `$concatArrays only supports arrays, not ${typeOf(given)}`);
    for (const element of allElements(given)) elements.push(element);
    charge(elements.length >> 3);
  }
  return arrayOf(elements);
});

/** `$first` and `$last` of an array; nothing of an empty one. */
function edge(position: 0 | -1): ExpressionOperator {
  return unary((value, { name }) => {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type !== bsonType.array)
      throw located(28_689, `${name}'s argument must be an array, but is ${typeOf(given)}`);
    return elementsOf(given).at(position);
  });
}

export const $first: ExpressionOperator = edge(0);
export const $last: ExpressionOperator = edge(-1);

export const $reverseArray: ExpressionOperator = unary((value) => {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (given.type !== bsonType.array)
    throw located(34_435, `The argument to $reverseArray must be an array, but was of type: ${typeOf(given)}`);
  return arrayOf(allElements(given).toReversed());
});

/** `[array, n]` or `[array, position, n]`. */
export const $slice: ExpressionOperator = (argument, place) => {
  const [array, first, second] = countedArguments(argument, place, 2, 3) as [Expression, Expression, Expression?];
  return (root) => {
    const list = array(root);
    const start = first(root);
    if (isNullish(list) || isNullish(start)) return nullValue;
    const given: Value = list;
    if (given.type !== bsonType.array)
      throw located(28_724, `First argument to $slice must be an array, but is of type: ${typeOf(given)}`);
    const position = sliceNumber(start as Value, "Second", 28_725);
    const elements = allElements(given);
    if (second === undefined) return arrayOf(position >= 0 ? elements.slice(0, position) : elements.slice(position));
    const length = second(root);
    if (isNullish(length)) return nullValue;
    const count = sliceNumber(length as Value, "Third", 28_727);
    if (count <= 0) throw located(28_729, `Third argument to $slice must be positive: ${count}`);
    const from = position >= 0 ? position : Math.max(0, elements.length + position);
    return arrayOf(elements.slice(from, from + count));
  };
};

function sliceNumber(value: Value, which: string, code: number): number {
  if (!isNumber(value))
    throw located(code, `${which} argument to $slice must be a numeric value, but is of type: ${typeOf(value)}`);
  const number = int32Of(value);
  if (number === undefined)
    throw located(
      code + 1,
      `${which} argument to $slice can't be represented as a 32-bit integer: ${shownNumber(value)}`,
    );
  return number;
}

/** `[array, value, start, end]`: the place of the first equal element, -1 when there is none. */
export const $indexOfArray: ExpressionOperator = (argument, place) => {
  const parts = countedArguments(argument, place, 2, 4);
  const { compare } = place.context;
  return (root) => {
    const [array, wanted, start, end] = parts.map((part) => part(root));
    if (isNullish(array)) return nullValue;
    const given: Value = array;
    if (given.type !== bsonType.array)
      throw located(40_090, `$indexOfArray requires an array as a first argument, found: ${typeOf(given)}`);
    const from = parts.length > 2 ? boundOf(start, "starting", place.name) : 0;
    const to = parts.length > 3 ? boundOf(end, "ending", place.name) : Number.POSITIVE_INFINITY;
    if (wanted === undefined) return int32Value(-1);
    const isFound = (element: Value, index: number): boolean =>
      index >= from && index < to && compare(element, wanted) === 0;
    return int32Value(findElement(given, isFound));
  };
};

/** A place to begin or end a search at. Throws 40096 and 40097. */
export function boundOf(value: Value | undefined, which: string, name: string): number {
  const number = value === undefined || !isNumber(value) ? undefined : int32Of(value);
  if (number === undefined)
    throw located(40_096, `${name} requires an integral ${which} index, found a value of type: ${typeOf(value)}`);
  if (number < 0) throw located(40_097, `${name} requires a nonnegative ${which} index, found: ${number}`);
  return number;
}

/** Bytes that an array made by `$range` may take. */
const rangeMaxBytes = 100 * 1024 * 1024;

export const $range: ExpressionOperator = (argument, place) => {
  const parts = countedArguments(argument, place, 2, 3);
  return (root) => {
    const [start, end, step] = parts.map((part) => part(root));
    const from = rangeNumber(start, "starting", 34_443);
    const to = rangeNumber(end, "ending", 34_445);
    const by = parts.length === 3 ? rangeNumber(step, "step", 34_447) : 1;
    if (by === 0) throw located(34_449, "$range requires a non-zero step value");
    const count = Math.max(0, Math.ceil((to - from) / by));
    if (count * 16 > rangeMaxBytes)
      throw new EngineError(
        146,
        "ExceededMemoryLimit",
        `$range would use too much memory (${count * 16} bytes) and cannot spill to disk. Memory limit: ${rangeMaxBytes} bytes`,
      );
    return looped(counting, { from, by, count, made: new ArrayBuilder() });
  };
};

interface Counting {
  readonly from: number;
  readonly by: number;
  readonly count: number;
  readonly made: ArrayBuilder;
}

const counting: Loop<Counting, Counting, Value> = {
  begin: (counted) => counted,
  step: ({ from, by, count, made }) => {
    for (let left = 64; left > 0; left -= 1) {
      if (made.length >= count) return false;
      made.append(int32Value(from + made.length * by));
    }
    charge(16);
    return true;
  },
  end: ({ made }) => made.finish(),
};

function rangeNumber(value: Value | undefined, which: string, code: number): number {
  if (!isNumber(value))
    throw located(code, `$range requires a numeric ${which} value, found value of type: ${typeOf(value)}`);
  const number = int32Of(value);
  if (number === undefined)
    throw located(
      code + 1,
      `$range requires a ${which} value that can be represented as a 32-bit integer, found value: ${shownNumber(value)}`,
    );
  return number;
}
