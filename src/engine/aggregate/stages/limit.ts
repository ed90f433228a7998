import { located } from "../../engine-error.ts";
import { limited } from "../../query/flow.ts";
import { type StageFactory, wholeOf } from "../stage.ts";

export const $limit: StageFactory = (argument) => {
  const count = wholeOf(argument);
  if (count === undefined || count < 0)
    throw located(5_107_201, "invalid argument to $limit stage: Expected a non-negative whole number");
  if (count === 0) throw located(15_958, "the limit must be positive");
  return (flow) => limited(flow, count);
};
