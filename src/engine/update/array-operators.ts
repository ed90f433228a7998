import { badValue, EngineError } from "../engine-error.ts";
import { arrayValue } from "../bson/builder.ts";
import { compareBytes } from "../bson/bytes.ts";
import { compareValues, equalValues } from "../bson/compare.ts";
import { isNumberType, bsonType, typeName } from "../bson/types.ts";
import { toNumber } from "../bson/numbers.ts";
import { type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../bson/walk.ts";
import { compileElementMatch } from "../query/filter.ts";
import { createSortKey, parseSort } from "../query/sort.ts";
import type { Change } from "./mutable.ts";

/** `$push`, with `$each`, `$position`, `$slice`, `$sort`. */
export function $push(argument: Value, path: string): Change {
  const modifiers = modifiersOf(argument);
  const added = modifiers === undefined ? [argument] : eachOf(modifiers, "$push");
  const position = modifiers === undefined ? undefined : wholeModifier(modifiers, "$position");
  const slice = modifiers === undefined ? undefined : wholeModifier(modifiers, "$slice");
  const sort = modifiers?.get("$sort");
  const order = sort === undefined ? undefined : elementOrder(sort);
  for (const name of modifiers?.keys() ?? []) {
    if (!["$each", "$position", "$slice", "$sort"].includes(name))
      throw badValue(`Unrecognized clause in $push: ${name}`);
  }
  return (current) => {
    const elements = arrayOf(current, "$push", path);
    const at =
      position === undefined
        ? elements.length
        : position >= 0
          ? Math.min(position, elements.length)
          : Math.max(0, elements.length + position);
    let result = elements.toSpliced(at, 0, ...added);
    if (order !== undefined) result = order(result);
    if (slice !== undefined) result = slice >= 0 ? result.slice(0, slice) : result.slice(slice);
    return current !== undefined && added.length === 0 && order === undefined && slice === undefined
      ? current
      : arrayValue(result);
  };
}

/** `$addToSet`, with `$each`: what is there already is not added. */
export function $addToSet(argument: Value, path: string): Change {
  const modifiers = modifiersOf(argument);
  const candidates = modifiers === undefined ? [argument] : eachOf(modifiers, "$addToSet");
  if (modifiers !== undefined && modifiers.size > 1) throw badValue("Found unexpected fields after $each in $addToSet");
  return (current) => {
    const elements = [...arrayOf(current, "$addToSet", path)];
    const before = elements.length;
    for (const candidate of candidates)
      if (!elements.some((element) => equalValues(element, candidate))) elements.push(candidate);
    return current !== undefined && elements.length === before ? current : arrayValue(elements);
  };
}

/** `$pull`: removes elements equal to the argument, or fitting it when it is a condition. */
export function $pull(argument: Value, path: string): Change {
  const fits = compileElementMatch(argument);
  return removing((element) => fits(element), "$pull", path);
}

/** `$pullAll`: removes elements equal to any of the given. */
export function $pullAll(argument: Value, path: string): Change {
  if (argument.type !== bsonType.array)
    throw badValue(`$pullAll requires an array argument but was given a ${typeName(argument.type)}`);
  const unwanted = elementsOf(argument);
  return removing((element) => unwanted.some((value) => equalValues(value, element)), "$pullAll", path);
}

/** `$pop`: 1 removes the last, -1 the first. */
export function $pop(argument: Value, path: string): Change {
  const direction = isNumberType(argument.type) ? toNumber(argument) : Number.NaN;
  if (direction !== 1 && direction !== -1)
    throw new EngineError(9, "FailedToParse", `Expected 1 or -1 in $pop, found ${direction}`);
  return (current) => {
    if (current === undefined) return undefined;
    requireArray(current, "$pop", path);
    const elements = elementsOf(current);
    return elements.length === 0 ? current : arrayValue(direction === 1 ? elements.slice(0, -1) : elements.slice(1));
  };
}

function removing(unwanted: (element: Value) => boolean, operator: string, path: string): Change {
  return (current) => {
    if (current === undefined) return undefined;
    requireArray(current, operator, path);
    const elements = elementsOf(current);
    const kept = elements.filter((element) => !unwanted(element));
    return kept.length === elements.length ? current : arrayValue(kept);
  };
}

function modifiersOf(argument: Value): ReadonlyMap<string, Value> | undefined {
  if (argument.type !== bsonType.object) return undefined;
  const fields = [...fieldsOfValue(argument)];
  return fields[0]?.name === "$each" || fields.some(({ name }) => name === "$each")
    ? new Map(fields.map(({ name, value }) => [name, value]))
    : undefined;
}

function eachOf(modifiers: ReadonlyMap<string, Value>, operator: string): Value[] {
  const each = modifiers.get("$each");
  if (each?.type !== bsonType.array) throw badValue(`The argument to $each in ${operator} must be an array`);
  return elementsOf(each);
}

function wholeModifier(modifiers: ReadonlyMap<string, Value>, name: string): number | undefined {
  const value = modifiers.get(name);
  if (value === undefined) return undefined;
  const number = wholeNumberOf(value);
  if (number === undefined) throw badValue(`The value for ${name} must be an integer value`);
  return number;
}

function elementOrder(sort: Value): (elements: readonly Value[]) => Value[] {
  if (sort.type !== bsonType.object) {
    const direction = wholeNumberOf(sort);
    if (direction !== 1 && direction !== -1) throw badValue("The $sort element value must be either 1 or -1");
    return (elements) => elements.toSorted((one, other) => direction * compareValues(one, other));
  }
  const key = createSortKey(parseSort(sort.bytes()));
  const empty = Uint8Array.of(5, 0, 0, 0, 0);
  return (elements) =>
    elements
      .map((element) => ({ element, key: key(element.type === bsonType.object ? element.bytes() : empty) }))
      .toSorted((one, other) => compareBytes(one.key, other.key))
      .map(({ element }) => element);
}

function arrayOf(current: Value | undefined, operator: string, path: string): readonly Value[] {
  if (current === undefined) return [];
  requireArray(current, operator, path);
  return elementsOf(current);
}

function requireArray(current: Value, operator: string, path: string): void {
  if (current.type === bsonType.array) return;
  throw new EngineError(
    2,
    "BadValue",
    `The field '${path}' must be an array but is of type ${typeName(current.type)} (${operator})`,
  );
}
