import { badValue } from "../../engine-error.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { elementsOf } from "../../bson/walk.ts";
import { equalityKeys } from "../../query/collation.ts";
import type { UpdateOperator } from "./operator.ts";
import { removing } from "./pull.ts";

/** `$pullAll`: removes elements equal to any of the given. */
export const $pullAll: UpdateOperator = (argument, path, collation) => {
  if (argument.type !== bsonType.array)
    throw badValue(`$pullAll requires an array argument but was given a ${typeName(argument.type)}`);
  const keyOf = equalityKeys(collation);
  const unwanted = new Set(elementsOf(argument).map(keyOf));
  return removing((element) => unwanted.has(keyOf(element)), "$pullAll", path);
};
