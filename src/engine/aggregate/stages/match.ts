import { compileFilter } from "../../query/filter.ts";
import { filtered } from "../../query/flow.ts";
import { compilerIn } from "../compiler.ts";
import { objectOf, type StageFactory } from "../stage.ts";

export const $match: StageFactory = (argument, { name, expressions }) => {
  const filter = compileFilter(objectOf(argument, name, 15_959), {
    compileExpression: compilerIn(expressions),
    collation: expressions.collation,
  });
  return (flow) => filtered(flow, (document) => filter.matches(document));
};
