import { located } from "../../engine-error.ts";
import { fieldsOf } from "../../bson/walk.ts";
import { mapped } from "../../query/flow.ts";
import { compileProjection } from "../../query/projection.ts";
import { compilerIn } from "../compiler.ts";
import { objectOf, type StageFactory } from "../stage.ts";

export const $project: StageFactory = (argument, { name, expressions }) => {
  const specification = objectOf(argument, name, 15_969);
  if (fieldsOf(specification).next().done === true)
    throw located(51_272, "Invalid $project :: caused by :: projection specification must have at least one field");
  const project = compileProjection(specification, { find: false, compileExpression: compilerIn(expressions) });
  return (flow) => mapped(flow, project);
};
