import { located } from "../../engine-error.ts";
import { skipped } from "../../query/flow.ts";
import { type StageFactory, wholeOf } from "../stage.ts";

export const $skip: StageFactory = (argument) => {
  const count = wholeOf(argument);
  if (count === undefined || count < 0)
    throw located(5_107_200, "invalid argument to $skip stage: Expected a non-negative whole number");
  return (flow) => skipped(flow, count);
};
