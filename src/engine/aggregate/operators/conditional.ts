import { located } from "../../engine-error.ts";
import { isTruthy } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { elementsOf, fieldsOfValue } from "../../bson/walk.ts";
import type { Expression } from "../context.ts";
import {
  argumentsOf,
  countedArguments,
  type ExpressionOperator,
  isNullish,
  type OperatorPlace,
  typeOf,
} from "./operator.ts";

/** `{$cond: [if, then, else]}` or by names. */
export const $cond: ExpressionOperator = (argument, place) => {
  const [test, yes, no] = (
    argument.type === bsonType.object ? namedParts(argument, place) : countedArguments(argument, place, 3, 3)
  ) as [Expression, Expression, Expression];
  return (root) => (isTruthy(test(root)) ? yes(root) : no(root));
};

function namedParts(argument: Value, { compile }: OperatorPlace): Expression[] {
  const parts = new Map<string, Expression>();
  for (const { name, value } of fieldsOfValue(argument)) {
    if (!["if", "then", "else"].includes(name)) throw located(17_083, `Unrecognized parameter to $cond: ${name}`);
    parts.set(name, compile(value));
  }
  return (
    [
      ["if", 17_080],
      ["then", 17_081],
      ["else", 17_082],
    ] as const
  ).map(([name, code]) => {
    const part = parts.get(name);
    if (part === undefined) throw located(code, `Missing '${name}' parameter to $cond`);
    return part;
  });
}

export const $ifNull: ExpressionOperator = (argument, place) => {
  const parts = argumentsOf(argument, place);
  if (parts.length < 2) throw located(1_257_300, `$ifNull needs at least two arguments, had: ${parts.length}`);
  const last = parts.pop() as Expression;
  return (root) => {
    for (const part of parts) {
      const value: Value | undefined = part(root);
      if (!isNullish(value)) return value;
    }
    return last(root);
  };
};

export const $switch: ExpressionOperator = (argument, place) => {
  if (argument.type !== bsonType.object)
    throw located(40_060, `$switch requires an object as an argument, found: ${typeOf(argument)}`);
  let branches: (readonly [Expression, Expression])[] = [];
  let otherwise: Expression | undefined;
  for (const { name, value } of fieldsOfValue(argument)) {
    if (name === "default") otherwise = place.compile(value);
    else if (name === "branches") {
      if (value.type !== bsonType.array)
        throw located(40_061, `$switch expected an array for 'branches', found: ${typeOf(value)}`);
      branches = elementsOf(value).map((branch) => branchOf(branch, place));
    } else throw located(40_067, `$switch found an unknown argument: ${name}`);
  }
  if (branches.length === 0) throw located(40_068, "$switch requires at least one branch.");
  return (root) => {
    for (const [test, result] of branches) if (isTruthy(test(root))) return result(root);
    if (otherwise === undefined)
      throw located(40_066, "$switch could not find a matching branch for an input, and no default was specified.");
    return otherwise(root);
  };
};

function branchOf(branch: Value, { compile }: OperatorPlace): readonly [Expression, Expression] {
  if (branch.type !== bsonType.object)
    throw located(40_062, `$switch expected each branch to be an object, found: ${typeOf(branch)}`);
  let test: Expression | undefined;
  let result: Expression | undefined;
  for (const { name, value } of fieldsOfValue(branch)) {
    if (name === "case") test = compile(value);
    else if (name === "then") result = compile(value);
    else throw located(40_063, `$switch found an unknown argument to a branch: ${name}`);
  }
  if (test === undefined) throw located(40_064, "$switch requires each branch have a 'case' expression");
  if (result === undefined) throw located(40_065, "$switch requires each branch have a 'then' expression.");
  return [test, result];
}
