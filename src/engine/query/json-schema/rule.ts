import { failedToParse, typeMismatch } from "../../engine-error.ts";
import { buildDocument, objectValue } from "../../bson/builder.ts";
import { isNumberType, typeName } from "../../bson/types.ts";
import { stringValue, type Value, wholeNumberOf } from "../../bson/value.ts";
import type { Field } from "../../bson/walk.ts";

/** One keyword of a schema made ready. */
export interface Rule {
  readonly holds: (value: Value) => boolean;
  /** Why a value that does not hold does not, as `errInfo` shows it. */
  readonly explain: (value: Value) => Value;
}

/** A schema made ready. */
export interface Schema {
  readonly holds: (value: Value) => boolean;
  /** One for each keyword that is not met. */
  readonly explain: (value: Value) => readonly Value[];
  readonly title: Value | undefined;
  readonly description: Value | undefined;
}

/** What keywords are made with: their siblings, since some mean something together, and the maker of nested schemas. */
export interface KeywordPlace {
  readonly siblings: ReadonlyMap<string, Value>;
  readonly compile: (schema: Value) => Schema;
}

/** Makes the rule of `{keyword: argument}`. Throws 9 FailedToParse and 14 TypeMismatch for arguments that do not fit. */
export type Keyword = (argument: Value, place: KeywordPlace) => Rule;

/** The details of a keyword: its name, what it was given, and further fields. */
export function details(
  keyword: string,
  argument: Value | undefined,
  more: readonly (readonly [string, Value])[] = [],
): Value {
  return objectValue([
    ["operatorName", stringValue(keyword)],
    ...(argument === undefined ? [] : ([["specifiedAs", objectValue([[keyword, argument]])]] as const)),
    ...more,
  ]);
}

/** A rule whose refusal is told by a reason and the value. */
export function comparing(
  keyword: string,
  argument: Value,
  reason: string,
  holds: (value: Value) => boolean,
  more: (value: Value) => readonly (readonly [string, Value])[] = () => [],
): Rule {
  return {
    holds,
    explain: (value) =>
      details(keyword, argument, [["reason", stringValue(reason)], ["consideredValue", value], ...more(value)]),
  };
}

/** A whole number of 0 or more. */
export function countOf(keyword: string, argument: Value): number {
  if (!isNumberType(argument.type))
    throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number, but it is ${typeName(argument.type)}`);
  const count = wholeNumberOf(argument);
  if (count === undefined || count < 0)
    throw failedToParse(`$jsonSchema keyword '${keyword}' must be a whole number of 0 or more`);
  return count;
}

/** A document of the given fields, for `specifiedAs` and its like. */
export function documentOf(fields: readonly Field[]): Uint8Array {
  return buildDocument(fields.map(({ name, value }) => [name, value] as const));
}
