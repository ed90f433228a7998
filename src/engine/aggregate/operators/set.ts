import { located } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { isTruthy } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { boolValue, nullValue, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import type { ExpressionContext } from "../context.ts";
import { charge } from "../steps.ts";
import { argumentsOf, binary, type ExpressionOperator, isNullish, typeOf, unary, variadic } from "./operator.ts";

/** Elements by their keys, of equal ones the first. */
function setOf(elements: Iterable<Value>, { keyText }: ExpressionContext): Map<string, Value> {
  const set = new Map<string, Value>();
  for (const element of elements) {
    charge(1);
    const key = keyText(element);
    if (!set.has(key)) set.set(key, element);
  }
  return set;
}

/** In the order of values, as MongoDB answers them; the manual leaves the order open. */
function inOrder(set: ReadonlyMap<string, Value>, { compare }: ExpressionContext): Value {
  return arrayValue([...set.values()].toSorted(compare));
}

/** Throws when a value is no array; `message` is told its type. */
function arrayElements(value: Value | undefined, code: number, message: (type: string) => string): Value[] {
  if (value?.type !== bsonType.array) throw located(code, message(typeOf(value)));
  return elementsOf(value);
}

export const $setUnion: ExpressionOperator = variadic((values, { context }) => {
  const all: Value[] = [];
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    for (const element of arrayElements(
      value,
      17_043,
      (type) => `All operands of $setUnion must be arrays. One argument is of type: ${type}`,
    ))
      all.push(element);
  }
  return inOrder(setOf(all, context), context);
});

export const $setIntersection: ExpressionOperator = variadic((values, { context }) => {
  let common: Map<string, Value> | undefined;
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const elements = arrayElements(
      value,
      17_047,
      (type) => `All operands of $setIntersection must be arrays. One argument is of type: ${type}`,
    );
    const set = setOf(elements, context);
    const before = common;
    common = before === undefined ? set : new Map([...before].filter(([key]) => set.has(key)));
  }
  return inOrder(common ?? new Map(), context);
});

export const $setDifference: ExpressionOperator = binary((one, other, { context }) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const message = (which: string) => (type: string) =>
    `both operands of $setDifference must be arrays. ${which} argument is of type: ${type}`;
  const left = setOf(arrayElements(one, 17_048, message("First")), context);
  const right = setOf(arrayElements(other, 17_049, message("Second")), context);
  return arrayValue([...left].filter(([key]) => !right.has(key)).map(([, value]) => value));
});

export const $setEquals: ExpressionOperator = (argument, place) => {
  const parts = argumentsOf(argument, place);
  if (parts.length < 2) throw located(17_045, `$setEquals needs at least two arguments had: ${parts.length}`);
  return (root) => {
    const sets = parts.map((part) =>
      setOf(
        arrayElements(
          part(root),
          17_044,
          (type) => `All operands of $setEquals must be arrays. One argument is of type: ${type}`,
        ),
        place.context,
      ),
    );
    const [first, ...rest] = sets as [Map<string, Value>, ...Map<string, Value>[]];
    return boolValue(rest.every((set) => set.size === first.size && [...set.keys()].every((key) => first.has(key))));
  };
};

export const $setIsSubset: ExpressionOperator = binary((one, other, { context }) => {
  const message = (which: string) => (type: string) =>
    `both operands of $setIsSubset must be arrays. ${which} argument is of type: ${type}`;
  const left = arrayElements(one, 17_046, message("First"));
  const right = setOf(arrayElements(other, 17_042, message("Second")), context);
  return boolValue(left.every((element) => right.has(context.keyText(element))));
});

export const $allElementsTrue: ExpressionOperator = unary((value) =>
  boolValue(
    arrayElements(value, 17_040, (type) => `$allElementsTrue's argument must be an array, but is ${type}`).every(
      isTruthy,
    ),
  ),
);

export const $anyElementTrue: ExpressionOperator = unary((value) =>
  boolValue(
    arrayElements(value, 17_041, (type) => `$anyElementTrue's argument must be an array, but is ${type}`).some(
      isTruthy,
    ),
  ),
);
