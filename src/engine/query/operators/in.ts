import { badValue } from "../../engine-error.ts";
import { allElements, mappedList } from "../../bson/arrays.ts";
import { bsonType } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { equalityKeys } from "../collation.ts";
import { someTest } from "../element-search.ts";
import { compileEquality } from "../equality.ts";
import { anyValueTest, type DocumentTest, negated, type ValueTest } from "../tests.ts";
import { remembered } from "../../steps.ts";
import { isOperatorDocument, type OperatorPlace, type QueryOperator } from "./operator.ts";

/** From this many members on, a look-up by key costs less than comparing with each. */
const lookUpFrom = 10;

/** `$in`: equal to any member; regular expressions among them find. */
export const $in: QueryOperator = (argument, place) => memberTest("$in", argument, place);

/** `$nin`: not `$in`. */
export const $nin: QueryOperator = (argument, place) => negated(memberTest("$nin", argument, place));

function memberTest(name: string, argument: Value, { path, collation }: OperatorPlace): DocumentTest {
  if (argument.type !== bsonType.array) throw badValue(`${name} needs an array`);
  const members = mappedList(allElements(argument), (member) => {
    if (isOperatorDocument(member)) throw badValue(`cannot nest $ under ${name}`);
    if (member.type === bsonType.undefined) throw badValue("InMatchExpression equality cannot be undefined");
    return member;
  });
  const special = members.filter(isSpecial);
  const plain = members.filter((member) => !isSpecial(member));
  const equalities = (plain.length < lookUpFrom ? members : special).map((member) =>
    compileEquality(member, collation),
  );
  const keyOf = equalityKeys(collation);
  const known = plain.length < lookUpFrom ? undefined : remembered(() => new Set(mappedList(plain, keyOf)));
  const [only] = equalities;
  const test: ValueTest =
    equalities.length === 1 && only !== undefined && known === undefined
      ? only.test
      : (stored) =>
          (known !== undefined && known.has(keyOf(stored))) ||
          someTest(equalities, (equality) => equality.test(stored));
  return anyValueTest(
    path,
    test,
    equalities.some((equality) => equality.matchesMissing),
  );
}

/** Patterns find and null fits what is missing: neither is equality of keys. */
function isSpecial(member: Value): boolean {
  return member.type === bsonType.regex || member.type === bsonType.null;
}
