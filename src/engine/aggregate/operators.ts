import { located } from "../engine-error.ts";
import { arrayValue } from "../bson/builder.ts";
import { compareValues } from "../bson/compare.ts";
import { decimalValue, divideDecimals } from "../bson/decimal.ts";
import { addNumbers, isTruthy, multiplyNumbers, toDecimal, toNumber, wide } from "../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../bson/types.ts";
import {
  boolValue,
  dateValue,
  doubleValue,
  int32Value,
  int64Of,
  int64Value,
  nullValue,
  stringValue,
  textOf,
  type Value,
  wholeNumberOf,
} from "../bson/value.ts";
import { elementsOf, fieldCount, fieldsOfValue } from "../bson/walk.ts";
import type { Expression } from "./expression.ts";

/** Makes an expression of an operator's argument. */
type Operator = (argument: Value, compile: (value: Value) => Expression) => Expression;

/** The operator of that name, or undefined when it is not one that is served. */
export function operatorNamed(name: string): Operator | undefined {
  return operators[name];
}

const missingType = bsonType.undefined;

function isNullish(value: Value | undefined): value is undefined {
  return value === undefined || value.type === bsonType.null || value.type === missingType;
}

/** Arguments as an array's elements, or one alone. */
function argumentsOf(argument: Value, compile: (value: Value) => Expression): Expression[] {
  return argument.type === bsonType.array ? elementsOf(argument).map(compile) : [compile(argument)];
}

function withCount(
  name: string,
  least: number,
  most: number,
  build: (parts: readonly Expression[]) => Expression,
): Operator {
  return (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    if (parts.length < least || parts.length > most) {
      throw located(
        16020,
        `Expression ${name} takes ${least === most ? `exactly ${least}` : `at least ${least}, and at most ${most},`} arguments. ${parts.length} were passed in.`,
      );
    }
    return build(parts);
  };
}

const unary = (name: string, compute: (value: Value | undefined) => Value | undefined): Operator =>
  withCount(
    name,
    1,
    1,
    ([part]) =>
      (scope) =>
        compute((part as Expression)(scope)),
  );

const binary = (
  name: string,
  compute: (one: Value | undefined, other: Value | undefined) => Value | undefined,
): Operator =>
  withCount(
    name,
    2,
    2,
    ([one, other]) =>
      (scope) =>
        compute((one as Expression)(scope), (other as Expression)(scope)),
  );

/** Numbers in, a number out; null when any is missing. */
const numeric = (name: string, compute: (one: Value, other: Value) => Value): Operator =>
  binary(name, (one, other) => {
    if (isNullish(one) || isNullish(other)) return nullValue;
    for (const value of [one, other] as Value[])
      if (!isNumberType(value.type))
        throw located(16555, `${name} only supports numeric types, not ${typeName(value.type)}`);
    return compute(one, other);
  });

const comparison = (name: string, accepts: (order: number) => boolean): Operator =>
  binary(name, (one, other) => boolValue(accepts(orderOf(one, other))));

/** A missing value is below everything. */
function orderOf(one: Value | undefined, other: Value | undefined): number {
  if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
  return compareValues(one, other);
}

function sum(values: readonly (Value | undefined)[], name: string): Value {
  let total: Value = int32Value(0);
  let date: bigint | undefined;
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type === bsonType.date && date === undefined && name === "$add") date = int64Of(given);
    else if (isNumberType(given.type))
      total = addNumbers(total, given) ?? doubleValue(toNumber(total) + toNumber(given));
    else throw located(16554, `${name} only supports numeric or date types, not ${typeName(given.type)}`);
  }
  return date === undefined ? total : dateValue(date + BigInt(Math.round(toNumber(total))));
}

function divide(one: Value, other: Value): Value {
  if (toNumber(other) === 0) throw located(2, "can't $divide by zero");
  if (one.type === bsonType.decimal || other.type === bsonType.decimal)
    return decimalValue(divideDecimals(toDecimal(one), toDecimal(other)));
  return doubleValue(toNumber(one) / toNumber(other));
}

function modulo(one: Value, other: Value): Value {
  if (toNumber(other) === 0) throw located(16610, "can't $mod by zero");
  const whole = [one, other].every((value) => value.type === bsonType.int || value.type === bsonType.long);
  if (!whole) return doubleValue(toNumber(one) % toNumber(other));
  const result = wide(one) % wide(other);
  return one.type === bsonType.int && other.type === bsonType.int ? int32Value(Number(result)) : int64Value(result);
}

function subtract(one: Value | undefined, other: Value | undefined): Value {
  if (isNullish(one) || isNullish(other)) return nullValue;
  const [left, right] = [one as Value, other as Value];
  if (left.type === bsonType.date && right.type === bsonType.date) return int64Value(int64Of(left) - int64Of(right));
  if (left.type === bsonType.date && isNumberType(right.type))
    return dateValue(int64Of(left) - BigInt(Math.round(toNumber(right))));
  if (!isNumberType(left.type) || !isNumberType(right.type))
    throw located(16556, `can't $subtract ${typeName(right.type)} from ${typeName(left.type)}`);
  const negative = multiplyNumbers(right, int32Value(-1));
  return (
    (negative === undefined ? undefined : addNumbers(left, negative)) ?? doubleValue(toNumber(left) - toNumber(right))
  );
}

function concat(values: readonly (Value | undefined)[]): Value {
  let text = "";
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type !== bsonType.string)
      throw located(16702, `$concat only supports strings, not ${typeName(given.type)}`);
    text += textOf(given);
  }
  return stringValue(text);
}

/** `{$cond: [if, then, else]}` or by names. */
const cond: Operator = (argument, compile) => {
  const parts =
    argument.type === bsonType.object
      ? new Map(Array.from(fieldsOfValue(argument), ({ name, value }) => [name, compile(value)]))
      : undefined;
  if (parts !== undefined)
    for (const name of parts.keys())
      if (!["if", "then", "else"].includes(name)) throw located(17083, `Unrecognized parameter to $cond: ${name}`);
  const [test, yes, no] =
    parts === undefined ? argumentsOf(argument, compile) : [parts.get("if"), parts.get("then"), parts.get("else")];
  if (test === undefined || yes === undefined || no === undefined) throw located(17080, "Missing a parameter to $cond");
  return (scope) => (isTruthy(test(scope)) ? yes(scope) : no(scope));
};

const ifNull: Operator = (argument, compile) => {
  const parts = argumentsOf(argument, compile);
  if (parts.length < 2) throw located(1_257_300, "$ifNull needs at least two arguments");
  return (scope) => {
    for (const part of parts.slice(0, -1)) {
      const value = part(scope);
      if (!isNullish(value)) return value;
    }
    return parts.at(-1)?.(scope);
  };
};

function arrayElementAt(array: Value | undefined, index: Value | undefined): Value | undefined {
  if (isNullish(array) || isNullish(index)) return nullValue;
  if ((array as Value).type !== bsonType.array)
    throw located(28689, `$arrayElemAt's first argument must be an array, but is ${typeName((array as Value).type)}`);
  const position = wholeNumberOf(index as Value);
  if (position === undefined) throw located(28690, "$arrayElemAt's second argument must be a numeric value");
  return elementsOf(array as Value).at(position);
}

const operators: Readonly<Record<string, Operator>> = {
  $add: (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    return (scope) =>
      sum(
        parts.map((part) => part(scope)),
        "$add",
      );
  },
  $subtract: binary("$subtract", subtract),
  $multiply: (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    return (scope) => {
      let product: Value = int32Value(1);
      for (const part of parts) {
        const value = part(scope);
        if (isNullish(value)) return nullValue;
        const given: Value = value;
        if (!isNumberType(given.type))
          throw located(16555, `$multiply only supports numeric types, not ${typeName(given.type)}`);
        product = multiplyNumbers(product, given) ?? doubleValue(toNumber(product) * toNumber(given));
      }
      return product;
    };
  },
  $divide: numeric("$divide", divide),
  $mod: numeric("$mod", modulo),
  $concat: (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    return (scope) => concat(parts.map((part) => part(scope)));
  },
  $cond: cond,
  $ifNull: ifNull,
  $eq: comparison("$eq", (order) => order === 0),
  $ne: comparison("$ne", (order) => order !== 0),
  $gt: comparison("$gt", (order) => order > 0),
  $gte: comparison("$gte", (order) => order >= 0),
  $lt: comparison("$lt", (order) => order < 0),
  $lte: comparison("$lte", (order) => order <= 0),
  $cmp: binary("$cmp", (one, other) => int32Value(Math.sign(orderOf(one, other)))),
  $and: (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    return (scope) => boolValue(parts.every((part) => isTruthy(part(scope))));
  },
  $or: (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    return (scope) => boolValue(parts.some((part) => isTruthy(part(scope))));
  },
  $not: unary("$not", (value) => boolValue(!isTruthy(value))),
  $size: unary("$size", (value) => {
    if (value?.type !== bsonType.array)
      throw located(
        17124,
        `The argument to $size must be an array, but was of type: ${value === undefined ? "missing" : typeName(value.type)}`,
      );
    return int32Value(fieldCount(value));
  }),
  $isArray: unary("$isArray", (value) => boolValue(value?.type === bsonType.array)),
  $type: unary("$type", (value) => stringValue(value === undefined ? "missing" : typeName(value.type))),
  $arrayElemAt: binary("$arrayElemAt", arrayElementAt),
  $in: binary("$in", (value, array) => {
    if (array?.type !== bsonType.array)
      throw located(
        40081,
        `$in requires an array as a second argument, found: ${array === undefined ? "missing" : typeName(array.type)}`,
      );
    return boolValue(elementsOf(array).some((element) => value !== undefined && compareValues(element, value) === 0));
  }),
  $concatArrays: (argument, compile) => {
    const parts = argumentsOf(argument, compile);
    return (scope) => {
      const arrays = parts.map((part) => part(scope));
      if (arrays.some(isNullish)) return nullValue;
      for (const array of arrays)
        if (array?.type !== bsonType.array)
          throw located(28664, `$concatArrays only supports arrays, not ${typeName(array?.type ?? 0)}`);
      return arrayValue(arrays.flatMap((array) => elementsOf(array as Value)));
    };
  },
  $abs: unary("$abs", (value) => {
    if (isNullish(value)) return nullValue;
    const number: Value = value;
    if (!isNumberType(number.type))
      throw located(28765, `$abs only supports numeric types, not ${typeName(number.type)}`);
    return toNumber(number) < 0 ? (multiplyNumbers(number, int32Value(-1)) ?? number) : number;
  }),
};
