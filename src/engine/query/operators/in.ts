import { badValue } from "../../engine-error.ts";
import { allElements, mappedList } from "../../bson/arrays.ts";
import { bsonType } from "../../bson/types.ts";
import type { Value } from "../../bson/value.ts";
import { equalityKeys } from "../collation.ts";
import { someTest } from "../element-search.ts";
import { compileEquality } from "../equality.ts";
import { anyValueTest, type DocumentTest, negated, type ValueTest } from "../tests.ts";
import { type Loop, looped } from "../../steps.ts";
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
  const given = { members, keyOf: equalityKeys(collation) };
  // Keys are those of one function, also where the loop was begun by a call that was left for a pause.
  const { compared, known, keyOf } =
    members.length < lookUpFrom ? { ...given, compared: members, known: undefined } : looped(sortingOut, given);
  const equalities = mappedList(compared, (member) => compileEquality(member, collation));
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

interface Members {
  readonly members: readonly Value[];
  readonly keyOf: (member: Value) => string;
}

interface SortedOut extends Pick<Members, "keyOf"> {
  /** Members that a value must be compared with. */
  readonly compared: Value[];
  /** Keys of the others. */
  readonly known: Set<string>;
}

const sortingOut: Loop<Members, Members & SortedOut & { position: number }, SortedOut> = {
  begin: (argument) => ({ ...argument, compared: [], known: new Set(), position: 0 }),
  step: (state) => {
    const member = state.members[state.position];
    if (member === undefined) return false;
    if (isSpecial(member)) state.compared.push(member);
    else state.known.add(state.keyOf(member));
    state.position += 1;
    return true;
  },
  end: ({ compared, known, keyOf }) => ({ compared, known, keyOf }),
};

/** Patterns find and null fits what is missing: neither is equality of keys. */
function isSpecial(member: Value): boolean {
  return member.type === bsonType.regex || member.type === bsonType.null;
}
