import { badValue } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import { all, negated } from "../tests.ts";
import { isOperatorDocument, type QueryOperator } from "./operator.ts";
import { $regex } from "./regex.ts";

/** `$not`: the conditions do not hold, which what is missing passes too. */
export const $not: QueryOperator = (argument, place) => {
  if (argument.type === bsonType.regex) return negated($regex(argument, { ...place, siblings: [] }));
  if (argument.type !== bsonType.object) throw badValue("$not needs a regex or a document");
  if (!isOperatorDocument(argument)) throw badValue("$not argument must be a non-empty document of operators");
  return negated(all(place.compileOperators(place.path, argument)));
};
