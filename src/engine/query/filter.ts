import { badValue, failedToParse, notSupported } from "../engine-error.ts";
import { allElements, mappedList } from "../bson/arrays.ts";
import { buildDocument, objectValue } from "../bson/builder.ts";
import { parsePath } from "../bson/path.ts";
import { isTruthy, toNumber } from "../bson/numbers.ts";
import { bsonType, isNumberType } from "../bson/types.ts";
import { readInt32 } from "../bson/bytes.ts";
import { Value } from "../bson/value.ts";
import { compileSchema } from "./json-schema/schema.ts";
import { fieldsOf, fieldsOfValue } from "../bson/walk.ts";
import { charge } from "../steps.ts";
import { boundsOfEquality, Conditions } from "./bounds.ts";
import type { Collation } from "./collation.ts";
import { someTest } from "./element-search.ts";
import { compileEquality, exactly, refuseUndefined } from "./equality.ts";
import { positionOfMatch, withoutPosition } from "./match-position.ts";
import { compileOperators, patternBounds } from "./operator-conditions.ts";
import { compileElementTest, holdsClauses } from "./operators/elemMatch.ts";
import { isOperatorDocument } from "./operators/operator.ts";
import {
  all,
  anyValueTest,
  type CompileDocument,
  type DocumentTest,
  type FilterOptions,
  type ValueTest,
} from "./tests.ts";

export interface Filter {
  matches(document: Uint8Array): boolean;
  /** The array position by which a document fits, for the positional `$`; undefined when it does not fit, or not by an array. */
  positionOf(document: Uint8Array): number | undefined;
  /** What every match must have; a planner may use any of it and must still ask `matches`. */
  readonly conditions: Conditions;
  /** The query document. */
  readonly query: Uint8Array;
  /** How strings compare. */
  readonly collation: Collation | undefined;
  /** Whether anything matches. */
  readonly matchesAll: boolean;
}

/** Compiles a query document. Throws 2 BadValue and others for what is no query, 238 NotImplemented for what is not supported. */
export function compileFilter(filter: Uint8Array, options: FilterOptions = {}): Filter {
  const conditions = new Conditions();
  const tests = compileDocument(filter, 0, options, conditions);
  const test = all(tests);
  return {
    matches: (document) => test(document, 0),
    positionOf: (document) => positionOfMatch(test, document),
    conditions,
    query: filter,
    collation: options.collation,
    matchesAll: tests.length === 0,
  };
}

/** The conditions of one query document. `conditions` collects what must hold; undefined where conditions are not all needed. */
export function compileDocument(
  bytes: Uint8Array,
  start: number,
  options: FilterOptions,
  conditions: Conditions | undefined,
): DocumentTest[] {
  const tests: DocumentTest[] = [];
  for (const { name, value } of fieldsOf(bytes, start)) {
    if (name.startsWith("$")) {
      const test = compileTopLevel(name, value, options, conditions);
      if (test !== undefined) tests.push(test);
    } else {
      tests.push(compileField(name, value, options, conditions));
    }
  }
  return tests;
}

function compileTopLevel(
  name: string,
  value: Value,
  options: FilterOptions,
  conditions: Conditions | undefined,
): DocumentTest | undefined {
  switch (name) {
    case "$and":
      return all(
        clausesOf(name, value).flatMap((clause) => compileDocument(clause.source, clause.start, options, conditions)),
      );
    case "$or":
      return compileOr(clausesOf(name, value), options, conditions);
    case "$nor": {
      const branches = mappedList(clausesOf(name, value), (clause) => compileClause(clause, options));
      return withoutPosition((bytes, start) => !someTest(branches, (branch) => branch(bytes, start)));
    }
    case "$expr": {
      if (options.insideElement === true) throw badValue("$expr can only be applied to the top-level document");
      if (options.compileExpression === undefined) throw notSupported("$expr here");
      const evaluate = options.compileExpression(value, options.variables);
      return (bytes) => isTruthy(evaluate(bytes));
    }
    case "$sampleRate":
      return compileSampleRate(value, options);
    case "$comment":
      return undefined;
    case "$alwaysTrue":
    case "$alwaysFalse": {
      if (!isNumberType(value.type) || toNumber(value) !== 1)
        throw failedToParse(`${name} must be an integer value of 1`);
      const answer = name === "$alwaysTrue";
      return () => answer;
    }
    case "$where":
    case "$text":
      throw notSupported(name);
    case "$jsonSchema": {
      const schema = compileSchema(value);
      return (source, start) =>
        schema.holds(new Value(bsonType.object, source, start, start + readInt32(source, start)));
    }
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
  conditions: Conditions | undefined,
): DocumentTest {
  const path = parsePath(name);
  if (isOperatorDocument(value))
    return all(compileOperators(path, value, nestedCompiler(options), options.collation, conditions));
  refuseUndefined(value);
  const { test, matchesMissing } = compileEquality(value, options.collation);
  conditions?.add(name, value.type === bsonType.regex ? patternBounds(value) : boundsOfEquality(value));
  return anyValueTest(path, test, matchesMissing);
}

function clausesOf(name: string, value: Value): readonly Value[] {
  if (value.type !== bsonType.array) throw badValue(`${name} must be an array`);
  const clauses = allElements(value);
  if (clauses.length === 0) throw badValue(`${name} argument must be a non-empty array`);
  for (const clause of clauses)
    if (clause.type !== bsonType.object) throw badValue(`${name} entries need to be full objects`);
  return clauses;
}

/** Documents nested in operators stand for elements, where the whole document is out of sight. */
function nestedCompiler(options: FilterOptions): CompileDocument {
  const nested = { ...options, insideElement: true };
  return (bytes, start, conditions) => compileDocument(bytes, start, nested, conditions);
}

function compileClause(clause: Value, options: FilterOptions, conditions?: Conditions): DocumentTest {
  return all(compileDocument(clause.source, clause.start, options, conditions));
}

/** `$sampleRate`: each document with the same chance. */
function compileSampleRate(value: Value, options: FilterOptions): DocumentTest {
  if (!isNumberType(value.type)) throw badValue("argument to $sampleRate must be a numeric type");
  const rate = toNumber(value);
  if (!(rate >= 0 && rate <= 1)) throw badValue("numeric argument to $sampleRate must be in [0, 1]");
  if (options.compileExpression === undefined) throw notSupported("$sampleRate here");
  const chance = options.compileExpression(objectValue([["$rand", objectValue([])]]), options.variables);
  return (bytes) => {
    const drawn = chance(bytes);
    return drawn !== undefined && toNumber(drawn) < rate;
  };
}

/** `$or`. Equalities on one path are `$in` to MongoDB, which is why they, and no other clauses, tell a position. */
function compileOr(
  clauses: readonly Value[],
  options: FilterOptions,
  conditions: Conditions | undefined,
): DocumentTest {
  const compiled = mappedList(clauses, (clause) => {
    charge(8);
    const own = new Conditions();
    return { own, branch: compileClause(clause, options, own) };
  });
  conditions?.alternatives.push(compiled.map(({ own }) => own));
  const branches = compiled.map(({ branch }) => branch);
  const test: DocumentTest = (bytes, start) => someTest(branches, (branch) => branch(bytes, start));
  const paths = new Set(clauses.map(equalityPath));
  return paths.size === 1 && !paths.has(undefined) ? test : withoutPosition(test);
}

function equalityPath(clause: Value): string | undefined {
  const [field, more] = [...fieldsOfValue(clause)];
  if (field === undefined || more !== undefined || field.name.startsWith("$")) return undefined;
  if (!isOperatorDocument(field.value)) return field.name;
  const operators = [...fieldsOfValue(field.value)];
  return operators.length === 1 && operators[0]?.name === "$eq" ? field.name : undefined;
}

/** A test of elements as `$pull` takes it: documents by their fields, anything else by operators, patterns or exact equality. */
export function compileElementMatch(condition: Value, collation: Collation | undefined): ValueTest {
  const nested = nestedCompiler({ collation });
  if (condition.type === bsonType.object && (!isOperatorDocument(condition) || holdsClauses(condition))) {
    const test = all(nested(condition.source, condition.start, undefined));
    return (element) => element.type === bsonType.object && test(element.source, element.start);
  }
  if (condition.type === bsonType.regex) return compileEquality(condition, collation).test;
  if (!isOperatorDocument(condition)) return exactly(condition, collation);
  const test = all(compileOperators(parsePath("e"), condition, nested, collation, undefined));
  return (element) => test(buildDocument([["e", element]]), 0);
}

/** A test of elements as `$elemMatch` in a projection takes it. */
export function compileElemMatchProjection(condition: Value, collation?: Collation): ValueTest {
  const compile = nestedCompiler({ collation });
  return compileElementTest(condition, {
    compileDocument: compile,
    compileOperators: (path, operators) => compileOperators(path, operators, compile, collation, undefined),
  });
}
