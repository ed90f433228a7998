import { badValue } from "../engine-error.ts";
import type { Path } from "../bson/path.ts";
import { regexOf, textOf, type Value } from "../bson/value.ts";
import { ElementReader, type Field, fieldsOfValue } from "../bson/walk.ts";
import { bsonType } from "../bson/types.ts";
import {
  type Bounds,
  boundsOfComparison,
  boundsOfEquality,
  boundsOfList,
  rangesMax,
  boundsOfPattern,
  type Conditions,
} from "./bounds.ts";
import { queryOperators } from "./operators/index.ts";
import type { OperatorPlace } from "./operators/operator.ts";
import type { Collation } from "./collation.ts";
import type { CompileDocument, DocumentTest } from "./tests.ts";

/** The conditions of a document of operators on a path. `conditions` collects what must hold; undefined where conditions are not all needed. */
export function compileOperators(
  path: Path,
  operators: Value,
  compileDocument: CompileDocument,
  collation: Collation | undefined,
  conditions: Conditions | undefined,
): DocumentTest[] {
  const siblings = [...fieldsOfValue(operators)];
  const place: OperatorPlace = {
    path,
    siblings,
    collation,
    compileDocument,
    compileOperators: (inner, nested) => compileOperators(inner, nested, compileDocument, collation, undefined),
  };
  const tests = siblings.map(({ name, value }) => {
    const operator = queryOperators.get(name);
    if (operator === undefined) throw badValue(`unknown operator: ${name}`);
    const test = operator(value, place);
    conditions?.add(path.text, boundsOf(name, value, siblings));
    return { name, test };
  });
  return tests.toSorted((one, other) => turnOf(one.name) - turnOf(other.name)).map(({ test }) => test);
}

/** Comparisons in the order in which MongoDB asks them; the last tells the positional `$` where it held. */
const turns = ["$eq", "$lte", "$lt", "$gt", "$gte"];

function turnOf(name: string): number {
  const turn = turns.indexOf(name);
  return turn === -1 ? turns.length : turn;
}

function boundsOf(name: string, value: Value, siblings: readonly Field[]): Bounds | undefined {
  switch (name) {
    case "$eq":
      return value.type === bsonType.regex ? undefined : boundsOfEquality(value);
    case "$in":
      return value.type === bsonType.array ? boundsOfList(firstElements(value, rangesMax + 1)) : undefined;
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return boundsOfComparison(name, value);
    case "$regex":
      if (siblings.length > 1) return undefined;
      if (value.type === bsonType.string) return boundsOfPattern(textOf(value), "");
      return value.type === bsonType.regex ? patternBounds(value) : undefined;
    default:
      return undefined;
  }
}

function firstElements(array: Value, count: number): readonly Value[] {
  const reader = new ElementReader(array);
  const elements: Value[] = [];
  for (let next = reader.next(); next !== undefined && elements.length < count; next = reader.next())
    elements.push(next);
  return elements;
}

/** Bounds of a pattern as a value. */
export function patternBounds(value: Value): Bounds | undefined {
  const { pattern, options } = regexOf(value);
  return boundsOfPattern(pattern, options);
}
