import { located } from "../../engine-error.ts";
import { buildDocument } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { int32Value, int64Value, textOf } from "../../bson/value.ts";
import type { Flow } from "../../query/flow.ts";
import type { StageFactory } from "../stage.ts";

export const $count: StageFactory = (argument) => {
  const name = argument.type === bsonType.string ? textOf(argument) : "";
  if (name === "") throw located(40_156, "the count field must be a non-empty string");
  if (name.startsWith("$")) throw located(40_158, "the count field cannot be a $-prefixed path");
  if (name.includes("\0")) throw located(40_159, "the count field cannot contain a null byte");
  if (name.includes(".")) throw located(40_160, "the count field cannot contain '.'");
  return function* count(flow: Flow): Flow {
    let counted = 0;
    for (const document of flow) {
      if (document === undefined) yield undefined;
      else counted += 1;
    }
    if (counted > 0)
      yield buildDocument([[name, counted <= 2_147_483_647 ? int32Value(counted) : int64Value(BigInt(counted))]]);
  };
};
