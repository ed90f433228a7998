import { located } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { nullValue, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import type { ValueAccumulator } from "../accumulators/accumulator.ts";
import { Extreme } from "../accumulators/extremes.ts";
import { extremesOf, firstOf, type Kept, lastOf, parseCounted } from "../accumulators/counted.ts";
import { parsePercentile } from "../accumulators/percentile.ts";
import { Average, StandardDeviation, Sum } from "../accumulators/sum.ts";
import { argumentsOf, type ExpressionOperator, isNullish, type OperatorPlace, typeOf } from "./operator.ts";

/** An accumulator over its arguments; one that gives an array stands for its elements. */
function over(create: (place: OperatorPlace) => ValueAccumulator): ExpressionOperator {
  return (argument, place) => {
    const parts = argumentsOf(argument, place);
    return (root) => {
      const accumulator = create(place);
      const values = parts.map((part) => part(root));
      const [only] = values;
      const isList = values.length === 1 && only?.type === bsonType.array;
      for (const value of isList ? elementsOf(only as Value) : values) accumulator.add(value);
      return accumulator.result();
    };
  };
}

export const $sum: ExpressionOperator = over(() => new Sum());
export const $avg: ExpressionOperator = over(() => new Average());
export const $min: ExpressionOperator = over(({ context }) => new Extreme(-1, context.compare));
export const $max: ExpressionOperator = over(({ context }) => new Extreme(1, context.compare));
export const $stdDevPop: ExpressionOperator = over(() => new StandardDeviation(false));
export const $stdDevSamp: ExpressionOperator = over(() => new StandardDeviation(true));

/** `{n, input}` over the elements of an array. */
function counted(create: (count: number, place: OperatorPlace) => Kept): ExpressionOperator {
  return (argument, place) => {
    const { input, countOf } = parseCounted(argument, place);
    return (root) => {
      const kept = create(countOf(root), place);
      const value = input(root);
      if (isNullish(value)) return nullValue;
      for (const element of requiredElements(value as Value)) kept.add(element);
      return arrayValue(kept.values());
    };
  };
}

function requiredElements(value: Value): Value[] {
  if (value.type !== bsonType.array) throw located(5_788_200, `Input must be an array, but is ${typeOf(value)}`);
  return elementsOf(value);
}

export const $firstN: ExpressionOperator = counted((count) => firstOf(count));
export const $lastN: ExpressionOperator = counted((count) => lastOf(count));
export const $minN: ExpressionOperator = counted((count, { context }) => extremesOf(count, -1, context.compare));
export const $maxN: ExpressionOperator = counted((count, { context }) => extremesOf(count, 1, context.compare));

function percentile(isMedian: boolean): ExpressionOperator {
  return (argument, place) => {
    const { input, create } = parsePercentile(argument, place, isMedian);
    return (root) => {
      const value = input(root);
      const accumulator = create();
      for (const one of value?.type === bsonType.array ? elementsOf(value) : [value]) accumulator.add(one);
      return accumulator.result();
    };
  };
}

export const $median: ExpressionOperator = percentile(true);
export const $percentile: ExpressionOperator = percentile(false);
