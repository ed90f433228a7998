import { isTruthy } from "../../bson/numbers.ts";
import { anyValueTest, negated } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** `$exists`: null exists too. */
export const $exists: QueryOperator = (argument, { path }) => {
  const exists = anyValueTest(path, () => true, false);
  return isTruthy(argument) ? exists : negated(exists);
};
