import { badValue } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { negated } from "../tests.ts";
import { $eq } from "./eq.ts";
import type { QueryOperator } from "./operator.ts";

/** `$ne`: not `$eq`, so that what is missing passes and no element of an array may be equal. */
export const $ne: QueryOperator = (argument, place) => {
  if (argument.type === bsonType.regex) throw badValue("Can't have regex as arg to $ne.");
  return negated($eq(argument, place));
};
