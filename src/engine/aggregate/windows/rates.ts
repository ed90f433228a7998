import { failedToParse, located } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType } from "../../bson/types.ts";
import { doubleValue, int32Value, int64Of, nullValue, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { isMonthly, unitMs, unitOf } from "../dates/units.ts";
import {
  addNumberValues,
  divideNumberValues,
  multiplyNumberValues,
  subtractNumberValues,
} from "../number-arithmetic.ts";
import { isNumber, typeOf } from "../operators/operator.ts";
import { mappedList } from "../../bson/arrays.ts";
import { charge, remembered } from "../../steps.ts";
import { type Span, spansOf } from "./bounds.ts";
import { ofPartition, requireOneSortField, type WindowOperator, type WindowPlace } from "./window-function.ts";

interface Points {
  readonly input: Expression;
  /** Milliseconds of the unit; undefined for an order by numbers. */
  readonly unitLengthMs: number | undefined;
}

function parsePoints(argument: Value, place: WindowPlace): Points {
  const { name } = place;
  if (argument.type !== bsonType.object) throw failedToParse(`${name} expects an object`);
  let input: Expression | undefined;
  let unitLengthMs: number | undefined;
  for (const field of fieldsOfValue(argument)) {
    if (field.name === "input") input = place.compile(field.value);
    else if (field.name === "unit") {
      const unit = unitOf(field.value, name, 9);
      if (isMonthly(unit)) throw located(5_490_704, "unit must be 'week' or smaller");
      unitLengthMs = unitMs[unit];
    } else throw failedToParse(`${name} got unexpected argument: ${field.name}`);
  }
  if (input === undefined) throw failedToParse(`${name} requires an 'input' expression`);
  if (place.sortValue === undefined) throw failedToParse(`${name} requires a sortBy`);
  return { input, unitLengthMs };
}

/** Where a document stands in the order: a number, or milliseconds when a unit was given. */
function placeOf(value: Value | undefined, { unitLengthMs }: Points, name: string): Value {
  if (unitLengthMs === undefined) {
    if (value?.type === bsonType.date)
      throw located(5_624_901, `${name} where the sortBy is a Date requires an 'unit'`);
    if (!isNumber(value)) throw located(5_624_902, `${name} (with no 'unit') expects the sortBy field to be numeric`);
    return value;
  }
  if (value?.type !== bsonType.date)
    throw located(5_624_900, `${name} with 'unit' expects the sortBy field to be a Date`);
  return doubleValue(Number(int64Of(value)));
}

/** Something of the points in each document's window; numbers alone are points. */
function overPoints(
  compute: (xs: readonly Value[], ys: readonly Value[], span: Span, points: Points) => Value,
): WindowOperator {
  return (argument, place) => {
    const points = parsePoints(argument, place);
    const sortValue = place.sortValue as Expression;
    return ofPartition(({ roots }) => {
      const xs = mappedList(roots, (root) => placeOf(sortValue(root), points, place.name));
      const ys: readonly Value[] = mappedList(roots, (root) => {
        const value = points.input(root);
        if (!isNumber(value))
          throw located(
            5_423_900,
            `The input value of ${place.name} window function must be numeric, but is ${typeOf(value)}`,
          );
        return value;
      });
      const spans = remembered(() => spansOf(place.bounds, roots, place.sortValue));
      return mappedList(spans, (span) => {
        charge(span.end - span.start);
        return compute(xs, ys, span, points);
      });
    });
  };
}

export const $derivative: WindowOperator = (argument, place) => {
  if (place.bounds === undefined) throw failedToParse("$derivative requires explicit window bounds");
  return slopes(argument, place);
};

const slopes: WindowOperator = overPoints((xs, ys, { start, end }, { unitLengthMs }) => {
  if (end - start < 2) return nullValue;
  const [y1, y2] = [ys[start] as Value, ys[end - 1] as Value];
  const [x1, x2] = [xs[start] as Value, xs[end - 1] as Value];
  if (toNumber(x1) === toNumber(x2)) return nullValue;
  const slope = divideNumberValues(subtractNumberValues(y2, y1), subtractNumberValues(x2, x1));
  return unitLengthMs === undefined ? slope : multiplyNumberValues(slope, doubleValue(unitLengthMs));
});

/** The area below the line through the points. */
export const $integral: WindowOperator = overPoints((xs, ys, { start, end }, { unitLengthMs }) => {
  if (end <= start) return nullValue;
  let area: Value = doubleValue(0);
  for (let index = start + 1; index < end; index += 1) {
    const [y1, y2] = [ys[index - 1] as Value, ys[index] as Value];
    const width = subtractNumberValues(xs[index] as Value, xs[index - 1] as Value);
    const double = multiplyNumberValues(width, addNumberValues(y1, y2));
    area = addNumberValues(area, divideNumberValues(double, int32Value(2)));
  }
  return unitLengthMs === undefined ? area : divideNumberValues(area, doubleValue(unitLengthMs));
});

/** `{input, N}` or `{input, alpha}`: each value counts for a share, and what was before for the rest. */
export const $expMovingAvg: WindowOperator = (argument, place) => {
  if (argument.type !== bsonType.object)
    throw failedToParse("$expMovingAvg must have exactly one argument that is an object");
  requireOneSortField(place, 9);
  if (place.bounds !== undefined) throw failedToParse("$expMovingAvg sub object may not be specified with a window");
  let input: Expression | undefined;
  let share: number | undefined;
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name === "input") input = place.compile(value);
    else if ((name === "N" || name === "alpha") && share === undefined) share = shareOf(name, value);
    else
      throw failedToParse(
        "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field",
      );
  }
  if (input === undefined || share === undefined)
    throw failedToParse(
      "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field",
    );
  const expression = input;
  const [weight, rest] = [doubleValue(share), doubleValue(1 - share)];
  return ofPartition(({ roots }) => {
    const values = mappedList(roots, expression);
    let average: Value | undefined;
    return values.map((value) => {
      if (!isNumber(value)) return nullValue;
      average =
        average === undefined
          ? value
          : addNumberValues(multiplyNumberValues(value, weight), multiplyNumberValues(average, rest));
      return average;
    });
  });
};

function shareOf(name: string, value: Value): number {
  const number = isNumberType(value.type) ? toNumber(value) : Number.NaN;
  if (name === "N") {
    if (!Number.isInteger(number) || number <= 0) throw failedToParse("'N' field must be an integer above 0");
    return 2 / (number + 1);
  }
  if (!(number > 0 && number < 1))
    throw failedToParse(`'alpha' must be between 0 and 1 (exclusive), found alpha: ${number}`);
  return number;
}
