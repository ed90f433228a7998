import { located } from "../../engine-error.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import { numberOf, type Value, wholeNumberOf } from "../../bson/value.ts";
import { toNumber } from "../../bson/numbers.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Expression, ExpressionContext } from "../context.ts";

/** What an operator stands in. */
export interface OperatorPlace {
  readonly name: string;
  readonly context: ExpressionContext;
  /** Compiles an argument; in another context when the operator binds variables. */
  readonly compile: (value: Value, context?: ExpressionContext) => Expression;
}

/** Makes the expression of `{$operator: argument}`. Throws what MongoDB throws for arguments that do not fit. */
export type ExpressionOperator = (argument: Value, place: OperatorPlace) => Expression;

/** Null, undefined or missing. */
export function isNullish(value: Value | undefined): value is undefined {
  return value === undefined || value.type === bsonType.null || value.type === bsonType.undefined;
}

/** A value's type for messages. */
export function typeOf(value: Value | undefined): string {
  return value === undefined ? "missing" : typeName(value.type);
}

export function isNumber(value: Value | undefined): value is Value {
  return value !== undefined && isNumberType(value.type);
}

/** Arguments as an array's elements, or one alone. */
export function argumentsOf(argument: Value, { compile }: OperatorPlace): Expression[] {
  return argument.type === bsonType.array ? elementsOf(argument).map((one) => compile(one)) : [compile(argument)];
}

/** As `argumentsOf`. Throws 16020 unless there are so many. */
export function countedArguments(argument: Value, place: OperatorPlace, least: number, most: number): Expression[] {
  const parts = argumentsOf(argument, place);
  if (parts.length >= least && parts.length <= most) return parts;
  throw located(
    least === most ? 16020 : 28667,
    `Expression ${place.name} takes ${least === most ? `exactly ${least}` : `at least ${least} arguments, and at most ${most},`} arguments. ${parts.length} were passed in.`,
  );
}

export function unary(
  compute: (value: Value | undefined, place: OperatorPlace) => Value | undefined,
): ExpressionOperator {
  return (argument, place) => {
    const [part] = countedArguments(argument, place, 1, 1) as [Expression];
    return (root) => compute(part(root), place);
  };
}

export function binary(
  compute: (one: Value | undefined, other: Value | undefined, place: OperatorPlace) => Value | undefined,
): ExpressionOperator {
  return (argument, place) => {
    const [one, other] = countedArguments(argument, place, 2, 2) as [Expression, Expression];
    return (root) => compute(one(root), other(root), place);
  };
}

/** Any number of arguments. */
export function variadic(
  compute: (values: readonly (Value | undefined)[], place: OperatorPlace) => Value | undefined,
): ExpressionOperator {
  return (argument, place) => {
    const parts = argumentsOf(argument, place);
    return (root) =>
      compute(
        parts.map((part) => part(root)),
        place,
      );
  };
}

/** Arguments given by name, compiled. Throws `codes` for what is no document, for names that are not known, and for what is missing. */
export function namedArguments(
  argument: Value,
  place: OperatorPlace,
  names: { readonly required: readonly string[]; readonly optional?: readonly string[] },
  codes: { readonly notObject: number; readonly unknown: number; readonly missing: number },
): ReadonlyMap<string, Value> {
  const { name } = place;
  if (argument.type !== bsonType.object)
    throw located(codes.notObject, `${name} only supports an object as its argument, found: ${typeOf(argument)}`);
  const given = new Map<string, Value>();
  for (const field of fieldsOfValue(argument)) {
    if (!names.required.includes(field.name) && names.optional?.includes(field.name) !== true)
      throw located(codes.unknown, `Unrecognized argument to ${name}: ${field.name}`);
    given.set(field.name, field.value);
  }
  for (const required of names.required)
    if (!given.has(required)) throw located(codes.missing, `Missing '${required}' parameter to ${name}`);
  return given;
}

/** The number as int32, also when it is an integral double, long or decimal; undefined when it is none. */
export function int32Of(value: Value): number | undefined {
  const number = value.type === bsonType.decimal ? toNumber(value) : wholeNumberOf(value);
  return number !== undefined && Number.isInteger(number) && number >= -2_147_483_648 && number <= 2_147_483_647
    ? number
    : undefined;
}

/** The number's digits for messages. */
export function shownNumber(value: Value): string {
  return String(value.type === bsonType.decimal ? toNumber(value) : numberOf(value));
}
