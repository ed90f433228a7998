import { located } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { mappedList } from "../../bson/arrays.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, int64Of, nullValue, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import {
  addNumberValues,
  divideNumberValues,
  multiplyNumberValues,
  subtractNumberValues,
} from "../number-arithmetic.ts";
import { isNullish, typeOf } from "../operators/operator.ts";
import { ofPartition, requireOneSortField, type WindowOperator } from "./window-function.ts";

/** The last value that was not null. */
export const $locf: WindowOperator = (argument, place) => {
  if (place.bounds !== undefined) throw located(6_050_201, "'window' is not supported in $locf");
  const expression = place.compile(argument);
  return ofPartition(({ roots }) => {
    let last: Value = nullValue;
    return mappedList(roots, expression).map((value) => {
      if (!isNullish(value)) last = value as Value;
      return last;
    });
  });
};

/** Nulls become what lies on the line between the values around them; before the first and behind the last they stay null. */
export const $linearFill: WindowOperator = (argument, place) => {
  if (place.bounds !== undefined) throw located(605_001, "'window' is not supported in $linearFill");
  requireOneSortField(place, 605_001);
  const expression = place.compile(argument);
  const sortValue = place.sortValue as Expression;
  return ofPartition(({ roots }) => {
    const places = mappedList(roots, (root) => placeOf(sortValue(root)));
    for (const [index, one] of places.entries())
      if (index > 0 && one === places[index - 1])
        throw located(6_050_106, "There can be no repeated values in the sort field");
    const values = Array.from(mappedList(roots, (root) => filledValue(expression(root))));
    let before: number | undefined;
    for (const [index, value] of values.entries()) {
      if (value.type === bsonType.null) continue;
      if (before !== undefined && index - before > 1) interpolate(values, places, before, index);
      before = index;
    }
    return values;
  });
};

function filledValue(value: Value | undefined): Value {
  if (isNullish(value)) return nullValue;
  const given: Value = value;
  if (!isNumberType(given.type)) throw located(605_001, "Value to be filled must be numeric or nullish");
  return given;
}

function placeOf(value: Value | undefined): number {
  if (value?.type === bsonType.date) return Number(int64Of(value));
  if (value !== undefined && isNumberType(value.type)) return toNumber(value);
  throw located(605_001, `Linear fill requires the sortBy value to be numeric or a date, but found ${typeOf(value)}`);
}

function interpolate(values: Value[], places: readonly number[], from: number, to: number): void {
  const [low, high] = [values[from] as Value, values[to] as Value];
  const [start, end] = [places[from] as number, places[to] as number];
  for (let index = from + 1; index < to; index += 1) {
    const share = doubleValue((places[index] as number) - start);
    const whole = doubleValue(end - start);
    const rise = divideNumberValues(multiplyNumberValues(subtractNumberValues(high, low), share), whole);
    values[index] = addNumberValues(low, rise);
  }
}
