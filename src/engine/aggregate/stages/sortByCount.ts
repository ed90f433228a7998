import { located } from "../../engine-error.ts";
import { buildDocument, emptyDocument, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { documentValue, int32Value, textOf, type Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import type { StageFactory } from "../stage.ts";

/** Groups by an expression and sorts by how many are in each group. */
export const $sortByCount: StageFactory = (argument, place) => {
  refuseConstant(argument);
  const group = objectValue([
    ["_id", argument],
    ["count", objectValue([["$count", documentValue(emptyDocument)]])],
  ]);
  const sort = objectValue([["count", int32Value(-1)]]);
  return place.compile([buildDocument([["$group", group]]), buildDocument([["$sort", sort]])], place);
};

function refuseConstant(argument: Value): void {
  if (argument.type === bsonType.string && textOf(argument).startsWith("$")) return;
  if (argument.type === bsonType.object) {
    if (fieldsOfValue(argument).next().value?.name.startsWith("$") === true) return;
    throw located(
      40_147,
      "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
    );
  }
  if (argument.type === bsonType.string)
    throw located(
      40_148,
      "the sortByCount field must be defined as a $-prefixed path or an expression inside an object",
    );
  throw located(40_149, "the sortByCount field must be specified as a string or as an object");
}
