import { boolValue, stringValue } from "../../bson/value.ts";
import { type ExpressionOperator, isNumber, typeOf, unary } from "./operator.ts";

export const $type: ExpressionOperator = unary((value) => stringValue(typeOf(value)));

export const $isNumber: ExpressionOperator = unary((value) => boolValue(isNumber(value)));
