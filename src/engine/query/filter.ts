import { badValue, notSupported } from "../engine-error.ts";
import { buildDocument } from "../bson/builder.ts";
import { parsePath } from "../bson/path.ts";
import { isTruthy } from "../bson/numbers.ts";
import { bsonType } from "../bson/types.ts";
import { type Value } from "../bson/value.ts";
import { elementsOf, fieldsOf } from "../bson/walk.ts";
import { type Bounds, boundsOfEquality, intersectBounds } from "./bounds.ts";
import { compileEquality } from "./equality.ts";
import { compileOperators, isOperatorDocument } from "./operators.ts";
import { all, anyValueTest, type DocumentTest, type FilterOptions, type ValueTest } from "./tests.ts";

export interface Filter {
  matches(document: Uint8Array): boolean;
  /** What every match must have at a path, from the conditions that all must hold; a planner may use any of them and must still ask `matches`. */
  readonly bounds: ReadonlyMap<string, Bounds>;
  /** Whether anything matches. */
  readonly matchesAll: boolean;
}

/** Compiles a query document. Throws 2 BadValue and others for what is no query, 238 NotImplemented for what is not supported. */
export function compileFilter(filter: Uint8Array, options: FilterOptions = {}): Filter {
  const bounds = new Map<string, Bounds>();
  const tests = compileDocument(filter, 0, options, bounds);
  const test = all(tests);
  return { matches: (document) => test(document, 0), bounds, matchesAll: tests.length === 0 };
}

/** The conditions of one query document. `bounds` collects what must hold; undefined where conditions are not all needed. */
export function compileDocument(
  bytes: Uint8Array,
  start: number,
  options: FilterOptions,
  bounds: Map<string, Bounds> | undefined,
): DocumentTest[] {
  const tests: DocumentTest[] = [];
  for (const { name, value } of fieldsOf(bytes, start)) {
    if (name.startsWith("$")) {
      const test = compileTopLevel(name, value, options, bounds);
      if (test !== undefined) tests.push(test);
    } else {
      tests.push(compileField(name, value, options, bounds));
    }
  }
  return tests;
}

function compileTopLevel(
  name: string,
  value: Value,
  options: FilterOptions,
  bounds: Map<string, Bounds> | undefined,
): DocumentTest | undefined {
  switch (name) {
    case "$and":
      return all(
        clausesOf(name, value).flatMap((clause) => compileDocument(clause.source, clause.start, options, bounds)),
      );
    case "$or": {
      const branches = clausesOf(name, value).map((clause) =>
        all(compileDocument(clause.source, clause.start, options, undefined)),
      );
      return (bytes, start) => branches.some((branch) => branch(bytes, start));
    }
    case "$nor": {
      const branches = clausesOf(name, value).map((clause) =>
        all(compileDocument(clause.source, clause.start, options, undefined)),
      );
      return (bytes, start) => !branches.some((branch) => branch(bytes, start));
    }
    case "$expr": {
      if (options.compileExpression === undefined) throw notSupported("$expr here");
      const evaluate = options.compileExpression(value, options.variables);
      return (bytes, start) => isTruthy(evaluate(start === 0 ? bytes : bytes.subarray(start)));
    }
    case "$comment":
      return undefined;
    case "$alwaysTrue":
      return () => true;
    case "$alwaysFalse":
      return () => false;
    case "$where":
    case "$text":
    case "$jsonSchema":
      throw notSupported(name);
    default:
      throw badValue(
        `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
  }
}

function compileField(
  name: string,
  value: Value,
  options: FilterOptions,
  bounds: Map<string, Bounds> | undefined,
): DocumentTest {
  const path = parsePath(name);
  if (isOperatorDocument(value))
    return all(
      compileOperators(path, value, (bytes, start, inner) => compileDocument(bytes, start, options, inner), bounds),
    );
  const { test, matchesMissing, bounds: equality } = equalityTest(value);
  if (bounds !== undefined && equality !== undefined) intersectBounds(bounds, name, equality);
  return anyValueTest(path, test, matchesMissing);
}

/** `{field: value}`: equal, or a pattern that finds. */
function equalityTest(value: Value): {
  readonly test: ValueTest;
  readonly matchesMissing: boolean;
  readonly bounds: Bounds | undefined;
} {
  const compiled = compileEquality(value);
  return { ...compiled, bounds: value.type === bsonType.regex ? undefined : boundsOfEquality(value) };
}

function clausesOf(name: string, value: Value): Value[] {
  if (value.type !== bsonType.array) throw badValue(`${name} must be an array`);
  const clauses = elementsOf(value);
  if (clauses.length === 0) throw badValue(`${name} argument must be a non-empty array`);
  for (const clause of clauses)
    if (clause.type !== bsonType.object) throw badValue(`${name} entries need to be full objects`);
  return clauses;
}

/** A test of single values: `$pull`'s conditions fit documents by their fields, anything else by operators or equality. */
export function compileElementMatch(condition: Value): (element: Value) => boolean {
  if (condition.type === bsonType.object && !isOperatorDocument(condition)) {
    const test = all(compileDocument(condition.source, condition.start, {}, undefined));
    return (element) => element.type === bsonType.object && test(element.source, element.start);
  }
  if (!isOperatorDocument(condition)) return compileEquality(condition).test;
  const test = all(
    compileOperators(
      parsePath("e"),
      condition,
      (bytes, start, bounds) => compileDocument(bytes, start, {}, bounds),
      undefined,
    ),
  );
  return (element) => test(buildDocument([["e", element]]), 0);
}
