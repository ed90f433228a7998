import { located } from "../../engine-error.ts";
import { arrayValue, objectValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { boolValue, int32Value, nullValue, regexOf, stringValue, textOf, type Value } from "../../bson/value.ts";
import { compilePatternSearch, type PatternMatch } from "../../query/regular-expression.ts";
import type { Expression } from "../context.ts";
import { type ExpressionOperator, isNullish, namedArguments, type OperatorPlace, typeOf } from "./operator.ts";
import { codePointCount } from "./string.ts";

type Search = ReturnType<typeof compilePatternSearch>;

interface Searched {
  readonly text: string;
  readonly search: Search;
}

/** What the operators share: `{input, regex, options}`; undefined when input or pattern is nothing. */
function searching(argument: Value, place: OperatorPlace): (root: Value) => Searched | undefined {
  const { name } = place;
  const given = namedArguments(
    argument,
    place,
    { required: ["input"], optional: ["regex", "options"] },
    { notObject: 51_103, unknown: 31_024, missing: 31_022 },
  );
  const pattern = given.get("regex");
  if (pattern === undefined) throw located(31_023, `${name} requires 'regex' parameter`);
  const input = place.compile(given.get("input") as Value);
  const regex = place.compile(pattern);
  const optionsGiven = given.get("options");
  const options: Expression = optionsGiven === undefined ? () => undefined : place.compile(optionsGiven);
  const isConstant = regex.constant !== undefined && (optionsGiven === undefined || options.constant !== undefined);
  // A pattern that stays the same is compiled once, and a bad one found at once.
  const fixed = isConstant ? searchOf(regex.constant, options.constant, name) : undefined;
  return (root) => {
    const text = input(root);
    if (!isNullish(text) && (text as Value).type !== bsonType.string)
      throw located(51_104, `${name} needs 'input' to be of type string`);
    const search = isConstant ? fixed : searchOf(regex(root), options(root), name);
    return isNullish(text) || search === undefined ? undefined : { text: textOf(text as Value), search };
  };
}

function searchOf(regex: Value | undefined, options: Value | undefined, name: string): Search | undefined {
  if (!isNullish(options) && (options as Value).type !== bsonType.string)
    throw located(51_106, `${name} needs 'options' to be of type string`);
  if (isNullish(regex)) return undefined;
  const pattern: Value = regex;
  const flags = isNullish(options) ? "" : textOf(options as Value);
  if (flags.includes("\0"))
    throw located(51_110, `${name}: regular expression options cannot contain an embedded null byte`);
  if (pattern.type === bsonType.string) {
    if (textOf(pattern).includes("\0"))
      throw located(51_109, `${name}: regular expression cannot contain an embedded null byte`);
    return compilePatternSearch(textOf(pattern), flags);
  }
  if (pattern.type !== bsonType.regex)
    throw located(51_105, `${name} needs 'regex' to be of type string or regex, found: ${typeOf(pattern)}`);
  const own = regexOf(pattern);
  if (own.options !== "" && flags !== "")
    throw located(51_107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
  return compilePatternSearch(own.pattern, own.options === "" ? flags : own.options);
}

/** `place` is where the match begins, in code points. */
function described({ text, groups }: PatternMatch, place: number): Value {
  return objectValue([
    ["match", stringValue(text)],
    ["idx", int32Value(place)],
    ["captures", arrayValue(groups.map((group) => (group === undefined ? nullValue : stringValue(group))))],
  ]);
}

export const $regexMatch: ExpressionOperator = (argument, place) => {
  const search = searching(argument, place);
  return (root) => {
    const found = search(root);
    return boolValue(found !== undefined && found.search(found.text, false).length > 0);
  };
};

export const $regexFind: ExpressionOperator = (argument, place) => {
  const search = searching(argument, place);
  return (root) => {
    const found = search(root);
    const [first] = found?.search(found.text, false) ?? [];
    return found === undefined || first === undefined
      ? nullValue
      : described(first, codePointCount(found.text.slice(0, first.index)));
  };
};

export const $regexFindAll: ExpressionOperator = (argument, place) => {
  const search = searching(argument, place);
  return (root) => {
    const found = search(root);
    if (found === undefined) return arrayValue([]);
    const { text } = found;
    let [counted, points] = [0, 0];
    return arrayValue(
      found.search(text, true).map((match) => {
        points += codePointCount(text.slice(counted, match.index));
        counted = match.index;
        return described(match, points);
      }),
    );
  };
};
