import { located } from "../../engine-error.ts";
import { arrayOf, sortedList } from "../../bson/arrays.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { nullValue, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import { isNullish, isNumber, typeOf } from "../operators/operator.ts";
import { addAll } from "./lists.ts";
import { type AccumulatorOperator, type AccumulatorPlace, detached, inParts, sizeOf } from "./accumulator.ts";

/** The values kept of many; `add` answers the bytes that are held more. */
export interface Kept {
  add(value: Value): number;
  values(): readonly Value[];
  /** What is held, in an order in which it could have come in. */
  held(): readonly Value[];
}

/** `{n, input}`. Throws 5787900 to 5787908 for what does not fit. */
export function parseCounted(
  argument: Value,
  { name, compile }: Pick<AccumulatorPlace, "name" | "compile">,
): { readonly input: Expression; readonly countOf: (root: Value) => number } {
  if (argument.type !== bsonType.object)
    throw located(5_787_900, `specification must be an object; found ${name}: ${typeOf(argument)}`);
  let input: Expression | undefined;
  let count: Expression | undefined;
  for (const field of fieldsOfValue(argument)) {
    if (field.name === "input") input = compile(field.value);
    else if (field.name === "n") count = compile(field.value);
    else throw located(5_787_901, `Unknown argument for '${name}' operator: ${field.name}`);
  }
  if (count === undefined) throw located(5_787_906, "Missing value for 'n'");
  if (input === undefined) throw located(5_787_907, "Missing value for 'input'");
  const countExpression = count;
  if (count.constant !== undefined) checkedCount(count.constant);
  return { input, countOf: (root) => checkedCount(countExpression(root)) };
}

/** `n`: a whole number above 0. */
export function checkedCount(value: Value | undefined): number {
  if (!isNumber(value)) throw located(5_787_902, `Value for 'n' must be of integral type, but found ${typeOf(value)}`);
  const number = toNumber(value);
  if (!Number.isSafeInteger(number))
    throw located(5_787_903, `Value for 'n' must be of integral type, but found ${number}`);
  if (number <= 0) throw located(5_787_908, `'n' must be greater than 0, found ${number}`);
  return number;
}

export function firstOf(count: number): Kept {
  const kept: Value[] = [];
  return {
    add: (value) => {
      if (kept.length >= count) return 0;
      kept.push(detached(value));
      return sizeOf(value);
    },
    values: () => kept,
    held: () => kept,
  };
}

export function lastOf(count: number): Kept {
  let kept: Value[] = [];
  return {
    add: (value) => {
      kept.push(detached(value));
      // Twice as many are kept before the older half goes, so that each costs little.
      if (kept.length >= count * 2) {
        const dropped = kept.slice(0, -count).reduce((bytes, one) => bytes + sizeOf(one), 0);
        kept = kept.slice(-count);
        return sizeOf(value) - dropped;
      }
      return sizeOf(value);
    },
    values: () => kept.slice(-count),
    held: () => kept,
  };
}

/** The least (`sign` -1) or greatest values, in that order; null and missing are passed over. */
export function extremesOf(count: number, sign: number, compare: (one: Value, other: Value) => number): Kept {
  let kept: Value[] = [];
  const order = (one: Value, other: Value): number => -sign * compare(one, other);
  return {
    add: (value) => {
      if (isNullish(value)) return 0;
      kept.push(detached(value));
      if (kept.length < count * 2 || kept.length < 64) return sizeOf(value);
      const ordered = kept.toSorted(order);
      const dropped = ordered.slice(count).reduce((bytes, one) => bytes + sizeOf(one), 0);
      kept = ordered.slice(0, count);
      return sizeOf(value) - dropped;
    },
    values: () => sortedList(kept, order).slice(0, count),
    held: () => kept,
  };
}

function counted(create: (count: number, place: AccumulatorPlace) => Kept): AccumulatorOperator {
  return (argument, place) => {
    const { input, countOf } = parseCounted(argument, place);
    return (group) => {
      const kept = create(countOf(group), place);
      return {
        add: (root) => kept.add(input(root) ?? nullValue),
        result: () => arrayOf(kept.values()),
        save: () => inParts(kept.held()),
        merge: (saved) => addAll(kept, saved),
      };
    };
  };
}

export const $firstN: AccumulatorOperator = counted((count) => firstOf(count));
export const $lastN: AccumulatorOperator = counted((count) => lastOf(count));
export const $minN: AccumulatorOperator = counted((count, { context }) => extremesOf(count, -1, context.compare));
export const $maxN: AccumulatorOperator = counted((count, { context }) => extremesOf(count, 1, context.compare));
