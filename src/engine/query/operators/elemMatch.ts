import { badValue } from "../../engine-error.ts";
import { buildDocument } from "../../bson/builder.ts";
import { parsePath } from "../../bson/path.ts";
import { bsonType } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { fieldsOfValue } from "../../bson/walk.ts";
import { findElement } from "../element-search.ts";
import { all, type ValueTest, wholeArrayTest } from "../tests.ts";
import { isOperatorDocument, type OperatorPlace, type QueryOperator } from "./operator.ts";

/** `$elemMatch`: one element meets all conditions. */
export const $elemMatch: QueryOperator = (argument, place) => {
  const test = compileElementTest(argument, place);
  return wholeArrayTest(place.path, (stored) => {
    const position = findElement(stored, (element) => test(element));
    return position === -1 ? undefined : position;
  });
};

/** Conditions on elements: operators on the element itself, or a query document that arrays fit too, their positions being their fields. */
export function compileElementTest(
  argument: Value,
  place: Pick<OperatorPlace, "compileDocument" | "compileOperators">,
): ValueTest {
  if (argument.type !== bsonType.object) throw badValue("$elemMatch needs an Object");
  if (isOperatorDocument(argument) && !holdsClauses(argument)) {
    // Operators look at a field, so the element is given a name; arrays are not opened once more.
    const test = all(place.compileOperators(parsePath("e", false), argument));
    return (element) => test(buildDocument([["e", element]]), 0);
  }
  const test = all(place.compileDocument(argument.source, argument.start, undefined));
  return (element) =>
    (element.type === bsonType.object || element.type === bsonType.array) && test(element.source, element.start);
}

/** `{$or: [...]}` and its like, which are about an element's fields and not the element. */
export function holdsClauses(argument: Value): boolean {
  const first = fieldsOfValue(argument).next();
  return first.done !== true && ["$and", "$or", "$nor"].includes(first.value.name);
}
