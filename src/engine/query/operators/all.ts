import { badValue } from "../../engine-error.ts";
import { bsonType } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { elementsOf, type Field, fieldsOfValue } from "../../bson/walk.ts";
import { compileEquality } from "../equality.ts";
import { all, anyValueTest } from "../tests.ts";
import { $elemMatch } from "./elemMatch.ts";
import { isOperatorDocument, type QueryOperator } from "./operator.ts";

/** `$all`: every member is met, by equality or by `$elemMatch`; no members are met by nothing. */
export const $all: QueryOperator = (argument, place) => {
  if (argument.type !== bsonType.array) throw badValue("$all needs an array");
  const members = elementsOf(argument);
  const matching = members.filter(isElementMatch).length;
  if (matching > 0 && matching < members.length)
    throw badValue("$all/$elemMatch has to be consistent: every member is an $elemMatch or none is");
  if (members.length === 0) return () => false;
  return all(
    members.map((member) => {
      const [field] = operatorsOf(member);
      if (field === undefined) {
        const { test, matchesMissing } = compileEquality(member, place.collation);
        return anyValueTest(place.path, test, matchesMissing);
      }
      if (field.name !== "$elemMatch") throw badValue("no $ expressions in $all");
      return $elemMatch(field.value, place);
    }),
  );
};

function isElementMatch(member: Value): boolean {
  return operatorsOf(member)[0]?.name === "$elemMatch";
}

function operatorsOf(member: Value): readonly Field[] {
  return isOperatorDocument(member) ? [...fieldsOfValue(member)] : [];
}
