import { located } from "../../engine-error.ts";
import { allElements, arrayOf, sortedList } from "../../bson/arrays.ts";
import { isTruthy } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { boolValue, nullValue, type Value } from "../../bson/value.ts";
import type { ExpressionContext } from "../context.ts";
import { type Loop, looped, remembered } from "../../steps.ts";
import { argumentsOf, binary, type ExpressionOperator, isNullish, typeOf, unary, variadic } from "./operator.ts";

type ValueSet = ReadonlyMap<string, Value>;

/** Elements by their keys, of equal ones the first. */
function setOf(elements: readonly Value[], { keyText }: ExpressionContext): ValueSet {
  return looped(collecting, { elements, keyText });
}

interface Collection {
  readonly elements: readonly Value[];
  readonly keyText: (value: Value) => string;
}

const collecting: Loop<Collection, Collection & { readonly set: Map<string, Value>; position: number }, ValueSet> = {
  begin: (collection) => ({ ...collection, set: new Map(), position: 0 }),
  step: (state) => {
    const element = state.elements[state.position];
    if (element === undefined) return false;
    const key = state.keyText(element);
    if (!state.set.has(key)) state.set.set(key, element);
    state.position += 1;
    return true;
  },
  end: ({ set }) => set,
};

/** In the order of values, as MongoDB answers them; the manual leaves the order open. */
function inOrder(set: ValueSet, { compare }: ExpressionContext): Value {
  return arrayOf(sortedList([...set.values()], compare));
}

/** Throws when a value is no array; `message` is told its type. */
function arrayElements(value: Value | undefined, code: number, message: (type: string) => string): readonly Value[] {
  if (value?.type !== bsonType.array) throw located(code, message(typeOf(value)));
  return allElements(value);
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
  let common: ValueSet | undefined;
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const elements = arrayElements(
      value,
      17_047,
      (type) => `All operands of $setIntersection must be arrays. One argument is of type: ${type}`,
    );
    const set = setOf(elements, context);
    const before = common;
    common = before === undefined ? set : remembered(() => new Map([...before].filter(([key]) => set.has(key))));
  }
  return inOrder(common ?? new Map(), context);
});

export const $setDifference: ExpressionOperator = binary((one, other, { context }) => {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const message = (which: string) => (type: string) =>
    `both operands of $setDifference must be arrays. ${which} argument is of type: ${type}`;
  const left = setOf(arrayElements(one, 17_048, message("First")), context);
  const right = setOf(arrayElements(other, 17_049, message("Second")), context);
  return arrayOf([...left].filter(([key]) => !right.has(key)).map(([, value]) => value));
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
    const [first, ...rest] = sets as [ValueSet, ...ValueSet[]];
    return boolValue(rest.every((set) => set.size === first.size && [...set.keys()].every((key) => first.has(key))));
  };
};

export const $setIsSubset: ExpressionOperator = binary((one, other, { context }) => {
  const message = (which: string) => (type: string) =>
    `both operands of $setIsSubset must be arrays. ${which} argument is of type: ${type}`;
  const left = arrayElements(one, 17_046, message("First"));
  const right = setOf(arrayElements(other, 17_042, message("Second")), context);
  return boolValue([...setOf(left, context).keys()].every((key) => right.has(key)));
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
