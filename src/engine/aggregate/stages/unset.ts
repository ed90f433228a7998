import { located } from "../../engine-error.ts";
import { buildDocument } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { int32Value, textOf } from "../../bson/value.ts";
import { elementsOf } from "../../bson/walk.ts";
import { mapped } from "../../query/flow.ts";
import { compileProjection } from "../../query/projection.ts";
import type { StageFactory } from "../stage.ts";

export const $unset: StageFactory = (argument) => {
  const paths = (argument.type === bsonType.array ? elementsOf(argument) : [argument]).map((path) => {
    if (path.type !== bsonType.string)
      throw located(
        argument.type === bsonType.array ? 31_120 : 31_002,
        "$unset specification must be a string or an array containing only string values",
      );
    return textOf(path);
  });
  if (paths.length === 0)
    throw located(31_119, "$unset specification must be a string or an array with at least one field");
  const project = compileProjection(buildDocument(paths.map((path) => [path, int32Value(0)] as const)), {
    find: false,
  });
  return (flow) => mapped(flow, project);
};
