import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType, isNumberType, typeName } from "../../bson/types.ts";
import { elementsOf } from "../../bson/walk.ts";
import type { UpdateOperator } from "./operator.ts";

/** `$pop`: 1 removes the last element, -1 the first. Throws 14 TypeMismatch on what is no array. */
export const $pop: UpdateOperator = (argument, path) => {
  const direction = isNumberType(argument.type) ? toNumber(argument) : Number.NaN;
  if (direction !== 1 && direction !== -1)
    throw failedToParse(
      `$pop expects 1 or -1, found: ${isNumberType(argument.type) ? direction : typeName(argument.type)}`,
    );
  return (current) => {
    if (current === undefined) return undefined;
    if (current.type !== bsonType.array)
      throw typeMismatch(`Path '${path}' contains an element of non-array type '${typeName(current.type)}'`);
    const elements = elementsOf(current);
    return elements.length === 0 ? current : arrayValue(direction === 1 ? elements.slice(0, -1) : elements.slice(1));
  };
};
