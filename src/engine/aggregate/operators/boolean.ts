import { isTruthy } from "../../bson/numbers.ts";
import { boolValue } from "../../bson/value.ts";
import { argumentsOf, type ExpressionOperator, unary } from "./operator.ts";

export const $and: ExpressionOperator = (argument, place) => {
  const parts = argumentsOf(argument, place);
  return (root) => boolValue(parts.every((part) => isTruthy(part(root))));
};

export const $or: ExpressionOperator = (argument, place) => {
  const parts = argumentsOf(argument, place);
  return (root) => boolValue(parts.some((part) => isTruthy(part(root))));
};

export const $not: ExpressionOperator = unary((value) => boolValue(!isTruthy(value)));
