import { badValue, notSupported } from "../engine-error.ts";
import { compareValues } from "../bson/compare.ts";
import { toNumber } from "../bson/numbers.ts";
import { parsePath, type Path, visitPath } from "../bson/path.ts";
import { bsonType, isNumberType, typeNumbersByAlias, typeOrder } from "../bson/types.ts";
import { numberOf, regexOf, textOf, type Value, wholeNumberOf } from "../bson/value.ts";
import { elementsOf, fieldCount, fieldsOfValue } from "../bson/walk.ts";
import { bitTest } from "./bits.ts";
import { type Bounds, boundsOfComparison, boundsOfEquality, boundsOfList, intersectBounds } from "./bounds.ts";
import { compileEquality } from "./equality.ts";
import { createPatternMatch } from "./regular-expression.ts";
import { all, anyValueTest, type CompileDocument, type DocumentTest, type ValueTest } from "./tests.ts";

/** `{$gt: 1}` and its like: a document whose first field is an operator. */
export function isOperatorDocument(value: Value): boolean {
  if (value.type !== bsonType.object) return false;
  const first = fieldsOfValue(value).next();
  if (first.done === true) return false;
  return first.value.name.startsWith("$") && !["$ref", "$id", "$db"].includes(first.value.name);
}

/** The conditions of an operator document on a path. */
export function compileOperators(
  path: Path,
  value: Value,
  nested: CompileDocument,
  bounds: Map<string, Bounds> | undefined,
): DocumentTest[] {
  const fields = [...fieldsOfValue(value)];
  const tests: DocumentTest[] = [];
  for (const field of fields) {
    if (field.name === "$options") {
      if (!fields.some(({ name }) => name === "$regex")) throw badValue("$options needs a $regex");
      continue;
    }
    if (field.name === "$regex")
      tests.push(compileRegex(path, field.value, fields.find(({ name }) => name === "$options")?.value));
    else if (field.name === "$not") tests.push(compileNot(path, field.value, nested));
    else tests.push(compileOperator(path, field.name, field.value, nested));
    const limits = bounds === undefined ? undefined : operatorBounds(field.name, field.value);
    if (bounds !== undefined && limits !== undefined) intersectBounds(bounds, path.text, limits);
  }
  return tests;
}

function compileOperator(path: Path, name: string, value: Value, nested: CompileDocument): DocumentTest {
  switch (name) {
    case "$eq": {
      // Unlike `{field: /x/}`, `{$eq: /x/}` is equality with the expression itself.
      const { test, matchesMissing } =
        value.type === bsonType.regex
          ? { test: (stored: Value) => compareValues(stored, value) === 0, matchesMissing: false }
          : compileEquality(value);
      return anyValueTest(path, test, matchesMissing);
    }
    case "$ne":
      if (value.type === bsonType.regex) throw badValue("Can't have regex as arg to $ne.");
      return negated(compileOperator(path, "$eq", value, nested));
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return compileComparison(path, name, value);
    case "$in":
      return compileIn(path, name, value);
    case "$nin":
      return negated(compileIn(path, name, value));
    case "$exists":
      return compileExists(path, isTrueFlag(value));
    case "$type":
      return anyValueTest(path, typeTest(value), false);
    case "$mod":
      return anyValueTest(path, modTest(value), false);
    case "$size":
      return compileSize(path, value);
    case "$all":
      return compileAll(path, value, nested);
    case "$elemMatch":
      return compileElemMatch(path, value, nested);
    case "$bitsAllSet":
    case "$bitsAnySet":
    case "$bitsAllClear":
    case "$bitsAnyClear":
      return anyValueTest(path, bitTest(name, value), false);
    case "$comment":
      return () => true;
    case "$near":
    case "$nearSphere":
    case "$geoWithin":
    case "$geoIntersects":
    case "$within":
      throw notSupported(name);
    default:
      throw badValue(`unknown operator: ${name}`);
  }
}

function compileComparison(path: Path, name: string, value: Value): DocumentTest {
  if (value.type === bsonType.regex) throw badValue(`Can't have RegEx as arg to predicate over field '${path.text}'.`);
  const accepts = comparisonAccepts(name);
  if (value.type === bsonType.null)
    return anyValueTest(path, (stored) => accepts(0) && stored.type === bsonType.null, accepts(0));
  const everyType = value.type === bsonType.minKey || value.type === bsonType.maxKey;
  const bracket = typeOrder(value.type);
  const isNaNArgument = isNumberType(value.type) && Number.isNaN(toNumber(value));
  return anyValueTest(
    path,
    (stored) => {
      if (!everyType && typeOrder(stored.type) !== bracket) return false;
      // NaN is below every number in order, yet only equal to itself in queries.
      if (isNumberType(stored.type) && isNumberType(value.type) && Number.isNaN(toNumber(stored)) !== isNaNArgument)
        return false;
      return accepts(compareValues(stored, value));
    },
    false,
  );
}

function comparisonAccepts(name: string): (order: number) => boolean {
  if (name === "$gt") return (order) => order > 0;
  if (name === "$gte") return (order) => order >= 0;
  return name === "$lt" ? (order) => order < 0 : (order) => order <= 0;
}

function compileIn(path: Path, name: string, value: Value): DocumentTest {
  if (value.type !== bsonType.array) throw badValue(`${name} needs an array`);
  const members = elementsOf(value);
  for (const member of members) if (isOperatorDocument(member)) throw badValue(`cannot nest $ under ${name}`);
  const equalities = members.map(compileEquality);
  const matchesMissing = equalities.some((equality) => equality.matchesMissing);
  const test: ValueTest =
    equalities.length === 1
      ? (equalities[0]?.test as ValueTest)
      : (stored) => equalities.some((equality) => equality.test(stored));
  return anyValueTest(path, test, matchesMissing);
}

function compileExists(path: Path, wanted: boolean): DocumentTest {
  const exists: DocumentTest = (bytes, start) => visitPath(bytes, start, path, (value) => value !== undefined);
  return wanted ? exists : negated(exists);
}

function isTrueFlag(value: Value): boolean {
  if (value.type === bsonType.bool) return value.source[value.start] !== 0;
  if (isNumberType(value.type)) return toNumber(value) !== 0;
  return value.type !== bsonType.null && value.type !== bsonType.undefined;
}

function typeTest(value: Value): ValueTest {
  const wanted = (value.type === bsonType.array ? elementsOf(value) : [value]).map(typeNumber);
  if (wanted.length === 0) throw badValue("$type must match at least one type");
  return (stored) => wanted.some((type) => (type === "number" ? isNumberType(stored.type) : stored.type === type));
}

function typeNumber(value: Value): number | "number" {
  if (value.type === bsonType.string) {
    const alias = textOf(value);
    if (alias === "number") return "number";
    const number = typeNumbersByAlias[alias];
    if (number === undefined) throw badValue(`Unknown type name alias: ${alias}`);
    return number;
  }
  const number = isNumberType(value.type) ? toNumber(value) : Number.NaN;
  const type = number === -1 ? bsonType.minKey : number;
  if (!Object.values(bsonType).includes(type as never)) throw badValue(`Invalid numerical type code: ${number}`);
  return type;
}

function modTest(value: Value): ValueTest {
  const elements = value.type === bsonType.array ? elementsOf(value) : undefined;
  if (elements === undefined) throw badValue("malformed mod, needs to be an array");
  if (elements.length < 2) throw badValue("malformed mod, not enough elements");
  if (elements.length > 2) throw badValue("malformed mod, too many elements");
  const [divisor, remainder] = elements.map((element) =>
    isNumberType(element.type) ? Math.trunc(toNumber(element)) : Number.NaN,
  ) as [number, number];
  if (!Number.isFinite(divisor) || !Number.isFinite(remainder))
    throw badValue("malformed mod, divisor or remainder not a number");
  if (divisor === 0) throw badValue("divisor cannot be 0");
  return (stored) => {
    if (!isNumberType(stored.type)) return false;
    const number =
      stored.type === bsonType.double || stored.type === bsonType.int ? numberOf(stored) : toNumber(stored);
    return Number.isFinite(number) && Math.trunc(number) % divisor === remainder;
  };
}

function compileSize(path: Path, value: Value): DocumentTest {
  const size = isNumberType(value.type) ? wholeNumberOf(value) : undefined;
  if (size === undefined) throw badValue("Failed to parse $size. Expected an integer");
  if (size < 0) throw badValue("Failed to parse $size. Expected a non-negative number");
  return (bytes, start) =>
    visitPath(bytes, start, path, (stored) => stored?.type === bsonType.array && fieldCount(stored) === size);
}

function compileAll(path: Path, value: Value, nested: CompileDocument): DocumentTest {
  if (value.type !== bsonType.array) throw badValue("$all needs an array");
  const members = elementsOf(value);
  if (members.length === 0) return () => false;
  return all(
    members.map((member) => {
      if (!isOperatorDocument(member)) {
        const { test, matchesMissing } = compileEquality(member);
        return anyValueTest(path, test, matchesMissing);
      }
      const [field] = [...fieldsOfValue(member)];
      if (field?.name !== "$elemMatch") throw badValue("no $ expressions in $all");
      return compileElemMatch(path, field.value, nested);
    }),
  );
}

function compileElemMatch(path: Path, value: Value, nested: CompileDocument): DocumentTest {
  if (value.type !== bsonType.object) throw badValue("$elemMatch needs an Object");
  const test = compileElementTest(value, nested);
  return (bytes, start) =>
    visitPath(bytes, start, path, (stored) => stored?.type === bsonType.array && elementsOf(stored).some(test));
}

function compileNot(path: Path, value: Value, nested: CompileDocument): DocumentTest {
  if (value.type === bsonType.regex) return negated(compileRegex(path, value, undefined));
  if (!isOperatorDocument(value))
    throw badValue(value.type === bsonType.object ? "$not cannot be empty" : "$not needs a regex or a document");
  return negated(all(compileOperators(path, value, nested, undefined)));
}

function compileRegex(path: Path, value: Value, optionsValue: Value | undefined): DocumentTest {
  if (optionsValue !== undefined && optionsValue.type !== bsonType.string)
    throw badValue("$options has to be a string");
  const options = optionsValue === undefined ? undefined : textOf(optionsValue);
  if (value.type === bsonType.string)
    return anyValueTest(path, createPatternMatch(textOf(value), options ?? ""), false);
  if (value.type !== bsonType.regex) throw badValue("$regex has to be a string");
  const stored = regexOf(value);
  return anyValueTest(path, createPatternMatch(stored.pattern, options ?? stored.options), false);
}

function negated(test: DocumentTest): DocumentTest {
  return (bytes, start) => !test(bytes, start);
}

function operatorBounds(name: string, value: Value): Bounds | undefined {
  if (name === "$eq") return boundsOfEquality(value);
  if (name === "$in" && value.type === bsonType.array) return boundsOfList(elementsOf(value));
  return ["$gt", "$gte", "$lt", "$lte"].includes(name) ? boundsOfComparison(name, value) : undefined;
}

/** Conditions on array elements that are not documents (`$elemMatch: {$gt: 1}`) or whole documents. */
function compileElementTest(value: Value, nested: CompileDocument): ValueTest {
  if (
    isOperatorDocument(value) &&
    ![...fieldsOfValue(value)].some(({ name }) => ["$and", "$or", "$nor"].includes(name))
  ) {
    // Operators look at a field; an element is made one by giving it a name.
    const path = parsePath("e");
    const tests = all(compileOperators(path, value, nested, undefined));
    return (element) => tests(wrapped(element), 0);
  }
  const test = all(nested(value.source, value.start, undefined));
  return (element) => element.type === bsonType.object && test(element.source, element.start);
}

function wrapped(element: Value): Uint8Array {
  const size = element.end - element.start;
  const bytes = new Uint8Array(size + 8);
  bytes[0] = size + 8;
  bytes[1] = (size + 8) >> 8;
  bytes[2] = (size + 8) >> 16;
  bytes[3] = (size + 8) >> 24;
  bytes[4] = element.type;
  bytes[5] = 0x65;
  bytes.set(element.bytes(), 7);
  return bytes;
}
