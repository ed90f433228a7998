import { boolValue, int32Value, type Value } from "../../bson/value.ts";
import type { ExpressionContext } from "../context.ts";
import { binary, type ExpressionOperator } from "./operator.ts";

export const $eq: ExpressionOperator = comparison((order) => order === 0);
export const $ne: ExpressionOperator = comparison((order) => order !== 0);
export const $gt: ExpressionOperator = comparison((order) => order > 0);
export const $gte: ExpressionOperator = comparison((order) => order >= 0);
export const $lt: ExpressionOperator = comparison((order) => order < 0);
export const $lte: ExpressionOperator = comparison((order) => order <= 0);
export const $cmp: ExpressionOperator = binary((one, other, { context }) =>
  int32Value(Math.sign(orderOf(one, other, context))),
);

function comparison(accepts: (order: number) => boolean): ExpressionOperator {
  return binary((one, other, { context }) => boolValue(accepts(orderOf(one, other, context))));
}

/** A missing value is below everything. */
export function orderOf(one: Value | undefined, other: Value | undefined, { compare }: ExpressionContext): number {
  if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
  return compare(one, other);
}
