import { located } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { isTruthy } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { boolOf, nullValue, textOf, type Value } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { type Expression, refuseVariableName, type Variable, withVariables } from "../context.ts";
import { charge, iterating } from "../steps.ts";
import { type ExpressionOperator, int32Of, isNullish, isNumber, namedArguments, typeOf } from "./operator.ts";

/** Elements of an array to go through; undefined for nothing. */
function elementsIn(value: Value | undefined, code: number, name: string): Value[] | undefined {
  if (isNullish(value)) return undefined;
  const given: Value = value;
  charge(64);
  if (given.type !== bsonType.array) throw located(code, `input to ${name} must be an array not ${typeOf(given)}`);
  return elementsOf(given);
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
  return (root) => {
    const elements = elementsIn(input(root), 28_651, "$filter");
    if (elements === undefined) return nullValue;
    const left = most === undefined ? Number.POSITIVE_INFINITY : limitOf(most(root));
    return iterating(() => {
      const kept: Value[] = [];
      for (const element of elements) {
        if (kept.length >= left) break;
        charge(1);
        variable.value = element;
        if (isTruthy(test(root))) kept.push(element);
      }
      return arrayValue(kept);
    });
  };
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
  return (root) => {
    const elements = elementsIn(input(root), 16_883, "$map");
    if (elements === undefined) return nullValue;
    return iterating(() =>
      arrayValue(
        elements.map((element) => {
          charge(1);
          variable.value = element;
          return change(root) ?? nullValue;
        }),
      ),
    );
  };
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
  return (root) => {
    const elements = elementsIn(input(root), 40_080, "$reduce");
    if (elements === undefined) return nullValue;
    return iterating(() => {
      let current = begin(root);
      for (const one of elements) {
        charge(1);
        element.value = one;
        result.value = current;
        current = step(root);
        // What grows from step to step is copied in each.
        if (current !== undefined) charge((current.end - current.start) >> 8);
      }
      return current;
    });
  };
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
    const lists: Value[][] = [];
    for (const input of inputs) {
      const value = input(root);
      if (isNullish(value)) return nullValue;
      const list: Value = value;
      if (list.type !== bsonType.array)
        throw located(34_468, `$zip found a non-array expression in input: ${typeOf(list)}`);
      lists.push(elementsOf(list));
    }
    const lengths = lists.map((list) => list.length);
    const length = useLongest ? Math.max(...lengths) : Math.min(...lengths);
    const fill = defaults?.map((one) => one(root) ?? nullValue);
    return arrayValue(
      Array.from({ length }, (_, index) =>
        arrayValue(lists.map((list, which) => list[index] ?? fill?.[which] ?? nullValue)),
      ),
    );
  };
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
