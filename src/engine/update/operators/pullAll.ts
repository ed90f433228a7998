import { badValue } from "../../engine-error.ts";
import { keyText } from "../../bson/key.ts";
import { bsonType, typeName } from "../../bson/types.ts";
import { elementsOf } from "../../bson/walk.ts";
import type { UpdateOperator } from "./operator.ts";
import { removing } from "./pull.ts";

/** `$pullAll`: removes elements equal to any of the given. */
export const $pullAll: UpdateOperator = (argument, path) => {
  if (argument.type !== bsonType.array)
    throw badValue(`$pullAll requires an array argument but was given a ${typeName(argument.type)}`);
  const unwanted = new Set(elementsOf(argument).map(keyText));
  return removing((element) => unwanted.has(keyText(element)), "$pullAll", path);
};
