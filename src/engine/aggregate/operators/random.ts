import { located, notSupported } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { doubleValue } from "../../bson/value.ts";
import { fieldCount } from "../../bson/walk.ts";
import { remembered } from "../../steps.ts";
import type { ExpressionOperator } from "./operator.ts";

/** A number from 0 up to 1, another for each document. */
export const $rand: ExpressionOperator = (argument, { context }) => {
  const isEmpty = argument.type === bsonType.object || argument.type === bsonType.array;
  if (!isEmpty || fieldCount(argument) > 0) throw located(3_040_501, "$rand does not currently accept arguments");
  const { random } = context;
  if (random === undefined) throw notSupported("$rand here");
  return () => remembered(() => doubleValue(random()));
};
