import { mappedList } from "../../bson/arrays.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { doubleValue, int32Value, nullValue, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { charge, remembered } from "../../steps.ts";
import {
  addNumberValues,
  divideNumberValues,
  multiplyNumberValues,
  subtractNumberValues,
} from "../number-arithmetic.ts";
import { isNumber } from "../operators/operator.ts";
import { spansOf } from "./bounds.ts";
import { ofPartition, type WindowFunction, type WindowOperator } from "./window-function.ts";

/** Of `[x, y]`: how both vary together. */
function covariance(sample: boolean): WindowOperator {
  return (argument, place) => {
    const pair = place.compile(argument);
    const compute: WindowFunction = ofPartition(({ roots }) => {
      const points = mappedList(roots, (root) => pointOf(pair(root)));
      const spans = remembered(() => spansOf(place.bounds, roots, place.sortValue));
      return mappedList(spans, ({ start, end }) => {
        charge((end - start) >> 3);
        return covarianceOf(points.slice(start, end), sample);
      });
    });
    return compute;
  };
}

type Point = readonly [Value, Value];

function pointOf(value: Value | undefined): Point | undefined {
  const [x, y, more] = value?.type === bsonType.array ? elementsOf(value) : [];
  return isNumber(x) && isNumber(y) && more === undefined ? [x, y] : undefined;
}

function covarianceOf(given: readonly (Point | undefined)[], sample: boolean): Value {
  const points = given.filter((point) => point !== undefined);
  const divisor = sample ? points.length - 1 : points.length;
  if (divisor <= 0) return nullValue;
  return points.some((point) => point.some(({ type }) => type === bsonType.decimal))
    ? ofDecimals(points, divisor)
    : doubleValue(together(points) / divisor);
}

/** 34 digits bear the difference of sums, which doubles would not. */
function ofDecimals(points: readonly Point[], divisor: number): Value {
  let [sumX, sumY, sumXY]: [Value, Value, Value] = [int32Value(0), int32Value(0), int32Value(0)];
  for (const [x, y] of points) {
    sumX = addNumberValues(sumX, x);
    sumY = addNumberValues(sumY, y);
    sumXY = addNumberValues(sumXY, multiplyNumberValues(x, y));
  }
  const ofMeans = divideNumberValues(multiplyNumberValues(sumX, sumY), int32Value(points.length));
  return divideNumberValues(subtractNumberValues(sumXY, ofMeans), int32Value(divisor));
}

function together(points: readonly Point[]): number {
  let [count, meanX, meanY, sum] = [0, 0, 0, 0];
  for (const point of points) {
    const [x, y] = [toNumber(point[0]), toNumber(point[1])];
    count += 1;
    const distance = x - meanX;
    meanX += distance / count;
    meanY += (y - meanY) / count;
    sum += distance * (y - meanY);
  }
  return sum;
}

export const $covariancePop: WindowOperator = covariance(false);
export const $covarianceSamp: WindowOperator = covariance(true);
