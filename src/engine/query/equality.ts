import { badValue } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { regexOf, type Value } from "../bson/value.ts";
import { type Collation, valueOrder } from "./collation.ts";
import { createPatternMatch } from "./regular-expression.ts";
import type { ValueTest } from "./tests.ts";

/** A test for equality with a value; null also fits undefined and what is missing; a pattern finds. */
export function compileEquality(
  value: Value,
  collation: Collation | undefined,
): { readonly test: ValueTest; readonly matchesMissing: boolean } {
  if (value.type === bsonType.regex) {
    const { pattern, options } = regexOf(value);
    return { test: createPatternMatch(pattern, options), matchesMissing: false };
  }
  if (value.type === bsonType.null) {
    return {
      test: (stored) => stored.type === bsonType.null || stored.type === bsonType.undefined,
      matchesMissing: true,
    };
  }
  return { test: exactly(value, collation), matchesMissing: false };
}

/** Equal in value; types that are the same bytes are compared as such. */
export function exactly(value: Value, collation: Collation | undefined): ValueTest {
  const compare = valueOrder(collation);
  return (stored) => compare(stored, value) === 0;
}

/** Undefined is a type of the past that documents may hold and queries must not ask for. */
export function refuseUndefined(value: Value): void {
  if (value.type === bsonType.undefined) throw badValue("cannot compare to undefined");
}
