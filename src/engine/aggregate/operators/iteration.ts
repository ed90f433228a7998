import { located } from "../../engine-error.ts";
import { ArrayBuilder, arrayValue } from "../../bson/builder.ts";
import { allElements } from "../../bson/arrays.ts";
import { isTruthy } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { boolOf, nullValue, textOf, type Value } from "../../bson/value.ts";
import { ElementReader, elementsOf } from "../../bson/walk.ts";
import { type Expression, refuseVariableName, type Variable, withVariables } from "../context.ts";
import { charge, type Loop, looped } from "../../steps.ts";
import { type ExpressionOperator, int32Of, isNullish, isNumber, namedArguments, typeOf } from "./operator.ts";

/** Elements of an array to go through; undefined for nothing. */
function readerOf(value: Value | undefined, code: number, name: string): ElementReader | undefined {
  if (isNullish(value)) return undefined;
  const given: Value = value;
  if (given.type !== bsonType.array) throw located(code, `input to ${name} must be an array not ${typeOf(given)}`);
  return new ElementReader(given);
}

/** A loop over an array's elements; `element` is the one whose turn it is. */
interface Iteration {
  readonly root: Value;
  readonly reader: ElementReader;
  element: Value | undefined;
}

function iterationOf(root: Value, reader: ElementReader): Iteration {
  return { root, reader, element: reader.next() };
}

/** Goes on to the next element; answers whether there is one. */
function goOn(iteration: Iteration): boolean {
  iteration.element = iteration.reader.next();
  return iteration.element !== undefined;
}

/** Name given under `as`; `this` without one. */
function nameOf(value: Value | undefined): string {
  if (value === undefined) return "this";
  const name = value.type === bsonType.string ? textOf(value) : "";
  refuseVariableName(name, "set");
  return name;
}

export const $filter: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["input"], optional: ["as", "cond", "limit"] },
    { notObject: 28_646, unknown: 28_647, missing: 28_648 },
  );
  const condition = given.get("cond");
  if (condition === undefined) throw located(28_650, "Missing 'cond' parameter to $filter");
  const input = place.compile(given.get("input") as Value);
  const limit = given.get("limit");
  const most = limit === undefined ? undefined : place.compile(limit);
  const variable: Variable = { value: undefined };
  const test = place.compile(condition, withVariables(place.context, [[nameOf(given.get("as")), variable]]));
  const loop: Loop<Value, (Iteration & { readonly kept: ArrayBuilder; readonly left: number }) | undefined, Value> = {
    begin: (root) => {
      const reader = readerOf(input(root), 28_651, "$filter");
      if (reader === undefined) return undefined;
      const left = most === undefined ? Number.POSITIVE_INFINITY : limitOf(most(root));
      return { ...iterationOf(root, reader), kept: new ArrayBuilder(), left };
    },
    step: (state) => {
      if (state?.element === undefined) return false;
      variable.value = state.element;
      if (isTruthy(test(state.root))) state.kept.append(state.element);
      return goOn(state) && state.kept.length < state.left;
    },
    end: (state) => state?.kept.finish() ?? nullValue,
  };
  return (root) => looped(loop, root);
};

function limitOf(value: Value | undefined): number {
  if (isNullish(value)) return Number.POSITIVE_INFINITY;
  const number = isNumber(value) ? int32Of(value) : undefined;
  if (number === undefined) throw located(327_391, "$filter: limit must be represented as a 32-bit integral value");
  if (number <= 0) throw located(327_392, `$filter: limit must be greater than 0: ${number}`);
  return number;
}

export const $map: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["input"], optional: ["as", "in"] },
    { notObject: 16_878, unknown: 16_879, missing: 16_880 },
  );
  const body = given.get("in");
  if (body === undefined) throw located(16_882, "Missing 'in' parameter to $map");
  const input = place.compile(given.get("input") as Value);
  const variable: Variable = { value: undefined };
  const change = place.compile(body, withVariables(place.context, [[nameOf(given.get("as")), variable]]));
  const loop: Loop<Value, (Iteration & { readonly made: ArrayBuilder }) | undefined, Value> = {
    begin: (root) => {
      const reader = readerOf(input(root), 16_883, "$map");
      return reader === undefined ? undefined : { ...iterationOf(root, reader), made: new ArrayBuilder() };
    },
    step: (state) => {
      if (state?.element === undefined) return false;
      variable.value = state.element;
      state.made.append(change(state.root) ?? nullValue);
      return goOn(state);
    },
    end: (state) => state?.made.finish() ?? nullValue,
  };
  return (root) => looped(loop, root);
};

export const $reduce: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["input"], optional: ["initialValue", "in"] },
    { notObject: 40_075, unknown: 40_076, missing: 40_077 },
  );
  const [initial, body] = [given.get("initialValue"), given.get("in")];
  if (initial === undefined) throw located(40_078, "$reduce requires 'initialValue' to be specified");
  if (body === undefined) throw located(40_079, "$reduce requires 'in' to be specified");
  const input = place.compile(given.get("input") as Value);
  const begin = place.compile(initial);
  const element: Variable = { value: undefined };
  const result: Variable = { value: undefined };
  const step = place.compile(
    body,
    withVariables(place.context, [
      ["this", element],
      ["value", result],
    ]),
  );
  const loop: Loop<Value, (Iteration & { current: Value | undefined }) | undefined, Value | undefined> = {
    begin: (root) => {
      const reader = readerOf(input(root), 40_080, "$reduce");
      return reader === undefined ? undefined : { ...iterationOf(root, reader), current: begin(root) };
    },
    step: (state) => {
      if (state?.element === undefined) return false;
      element.value = state.element;
      result.value = state.current;
      state.current = step(state.root);
      // What grows from step to step is copied in each.
      if (state.current !== undefined) charge((state.current.end - state.current.start) >> 8);
      return goOn(state);
    },
    end: (state) => (state === undefined ? nullValue : state.current),
  };
  return (root) => looped(loop, root);
};

export const $zip: ExpressionOperator = (argument, place) => {
  const given = namedArguments(
    argument,
    place,
    { required: ["inputs"], optional: ["useLongestLength", "defaults"] },
    { notObject: 34_460, unknown: 34_464, missing: 34_465 },
  );
  const inputs = partsOf(given.get("inputs"), 34_461, "inputs", place.compile);
  const longest = given.get("useLongestLength");
  if (longest !== undefined && longest.type !== bsonType.bool)
    throw located(34_463, `useLongestLength must be a bool, found ${typeOf(longest)}`);
  const useLongest = longest !== undefined && boolOf(longest);
  const defaults = given.has("defaults")
    ? partsOf(given.get("defaults"), 34_462, "defaults", place.compile)
    : undefined;
  if (inputs.length === 0) throw located(34_465, "$zip requires at least one input array");
  if (defaults !== undefined && !useLongest)
    throw located(34_466, "cannot specify defaults unless useLongestLength is true");
  if (defaults !== undefined && defaults.length !== inputs.length)
    throw located(34_467, "defaults and inputs must have the same length");
  return (root) => {
    const lists: (readonly Value[])[] = [];
    for (const input of inputs) {
      const value = input(root);
      if (isNullish(value)) return nullValue;
      const list: Value = value;
      if (list.type !== bsonType.array)
        throw located(34_468, `$zip found a non-array expression in input: ${typeOf(list)}`);
      lists.push(allElements(list));
    }
    const lengths = lists.map((list) => list.length);
    const length = useLongest ? Math.max(...lengths) : Math.min(...lengths);
    const fill = defaults?.map((one) => one(root) ?? nullValue);
    return looped(zipping, { lists, length, fill, made: new ArrayBuilder() });
  };
};

interface Zipping {
  readonly lists: readonly (readonly Value[])[];
  readonly length: number;
  readonly fill: readonly Value[] | undefined;
  readonly made: ArrayBuilder;
}

const zipping: Loop<Zipping, Zipping, Value> = {
  begin: (zipped) => zipped,
  step: ({ lists, length, fill, made }) => {
    const index = made.length;
    if (index === length) return false;
    made.append(arrayValue(lists.map((list, which) => list[index] ?? fill?.[which] ?? nullValue)));
    return true;
  },
  end: ({ made }) => made.finish(),
};

function partsOf(
  value: Value | undefined,
  code: number,
  what: string,
  compile: (value: Value) => Expression,
): Expression[] {
  if (value?.type !== bsonType.array)
    throw located(code, `${what} must be an array of expressions, found ${typeOf(value)}`);
  return elementsOf(value).map((element) => compile(element));
}
