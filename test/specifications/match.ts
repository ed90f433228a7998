import { Binary, BSON, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from "mongodb";
import type { Arguments } from "./test-file.ts";

const { EJSON } = BSON;

/** What the expected values refer to by name. */
export interface NamedValues {
  entity(id: string): unknown;
  sessionId(id: string): unknown;
}

/** Throws what differs and where (unified test format, "Evaluating Matches"). In a root document, fields that are not expected may be there. */
export function match(expected: unknown, actual: unknown, named: NamedValues, root = true, path = ""): void {
  if (isPlain(expected)) {
    const operator = Object.keys(expected)[0];
    if (operator?.startsWith("$$") === true)
      return matchOperator(operator, expected[operator], actual, { named, root, path });
    return matchDocument(expected, actual, named, root, path);
  }
  if (Array.isArray(expected)) {
    const elements = Array.isArray(actual) ? (actual as unknown[]) : fail(path, expected, actual);
    if (elements.length !== expected.length) fail(path, expected, actual);
    // Documents in an array that is itself the root are roots (format, "Allowing extra fields in root-level documents").
    expected.forEach((one, index) => match(one, elements[index], named, root, `${path}.${index}`));
    return;
  }
  if (!equal(expected, actual)) fail(path, expected, actual);
}

function matchDocument(expected: Arguments, actual: unknown, named: NamedValues, root: boolean, path: string): void {
  const fields = fieldsOf(actual) ?? fail(path, expected, actual);
  for (const [name, value] of Object.entries(expected)) {
    const inner = `${path}.${name}`;
    if (!(name in fields) && !mayBeAbsent(value)) fail(inner, value, undefined);
    match(value, fields[name], named, false, inner);
  }
  if (root) return;
  for (const [name, value] of Object.entries(fields))
    if (!(name in expected) && value !== undefined) fail(`${path}.${name}`, undefined, value);
}

function mayBeAbsent(expected: unknown): boolean {
  return isPlain(expected) && (expected["$$exists"] === false || "$$unsetOrMatches" in expected);
}

interface Place {
  readonly named: NamedValues;
  readonly root: boolean;
  readonly path: string;
}

function matchOperator(operator: string, operand: unknown, actual: unknown, { named, root, path }: Place): void {
  switch (operator) {
    case "$$exists":
      if ((actual !== undefined) !== operand) fail(path, { $$exists: operand }, actual);
      return;
    case "$$type":
      if (![operand].flat().some((type) => hasType(actual, String(type)))) fail(path, { $$type: operand }, actual);
      return;
    case "$$unsetOrMatches":
      if (actual !== undefined && actual !== null) match(operand, actual, named, root, path);
      return;
    case "$$matchesEntity":
      return match(named.entity(String(operand)), actual, named, false, path);
    case "$$matchesHexBytes":
      if (!(actual instanceof Uint8Array) || Buffer.from(actual).toString("hex") !== operand)
        fail(path, operand, actual);
      return;
    case "$$sessionLsid":
      return match(named.sessionId(String(operand)), actual, named, false, path);
    case "$$lte":
      if (Number(actual) <= Number(operand)) return;
      return fail(path, { $$lte: operand }, actual);
    case "$$matchAsDocument":
      return match(operand, EJSON.parse(String(actual), { relaxed: true }), named, false, path);
    case "$$matchAsRoot":
      return match(operand, actual, named, true, path);
    default:
      throw new Error(`the runner does not know ${operator}`);
  }
}

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  double: (value) => typeof value === "number" || value instanceof Double,
  string: (value) => typeof value === "string",
  object: (value) => isPlain(value),
  array: (value) => Array.isArray(value),
  binData: (value) => value instanceof Binary || value instanceof Uint8Array,
  objectId: (value) => value instanceof ObjectId,
  bool: (value) => typeof value === "boolean",
  date: (value) => value instanceof Date,
  null: (value) => value === null,
  regex: (value) => value instanceof RegExp,
  javascript: (value) => value instanceof Code,
  int: (value) => value instanceof Int32 || (Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31),
  timestamp: (value) => value instanceof Timestamp,
  long: (value) => typeof value === "bigint" || value instanceof Long || Number.isInteger(value),
  decimal: (value) => value instanceof Decimal128,
  minKey: (value) => value instanceof MinKey,
  maxKey: (value) => value instanceof MaxKey,
};

function hasType(value: unknown, type: string): boolean {
  const check = types[type] ?? fail("", `a type the runner knows`, type);
  return check(value);
}

/** Numbers are compared by value, whatever their type (format, "Flexible numeric comparisons"). */
function equal(expected: unknown, actual: unknown): boolean {
  const [left, right] = [numberOf(expected), numberOf(actual)];
  if (left !== undefined && right !== undefined) return left === right;
  if (expected instanceof RegExp || actual instanceof RegExp) return String(expected) === String(actual);
  if (typeof expected === "object" && expected !== null && typeof actual === "object" && actual !== null)
    return EJSON.stringify({ value: expected }) === EJSON.stringify({ value: actual });
  return expected === actual;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint" || (value instanceof Long && !(value instanceof Timestamp))) return Number(value);
  return value instanceof Int32 || value instanceof Double ? value.valueOf() : undefined;
}

/** Fields of a document as the driver gives it, also where it is a map, a result with getters or an error. */
function fieldsOf(value: unknown): Arguments | undefined {
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return value as Arguments;
}

export function isPlain(value: unknown): value is Arguments {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function fail(path: string, expected: unknown, actual: unknown): never {
  throw new Error(`${path === "" ? "the value" : path.slice(1)} is ${shown(actual)}, expected ${shown(expected)}`);
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : EJSON.stringify({ value }, { relaxed: true }).slice(9, 209);
}
