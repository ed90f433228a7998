import { compileEquality, exactly, refuseUndefined } from "../equality.ts";
import { bsonType } from "../../bson/types.ts";
import { anyValueTest } from "../tests.ts";
import type { QueryOperator } from "./operator.ts";

/** `$eq`. Unlike `{field: /x/}`, `{$eq: /x/}` is equality with the expression itself. */
export const $eq: QueryOperator = (argument, { path, collation }) => {
  refuseUndefined(argument);
  if (argument.type === bsonType.regex) return anyValueTest(path, exactly(argument, undefined), false);
  const { test, matchesMissing } = compileEquality(argument, collation);
  return anyValueTest(path, test, matchesMissing);
};
