import { located } from "../../engine-error.ts";
import { arrayValue } from "../../bson/builder.ts";
import { bsonType } from "../../bson/types.ts";
import { int32Value, nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import { charge } from "../../steps.ts";
import { textForm } from "../text.ts";
import { binary, type ExpressionOperator, isNullish, namedArguments, typeOf, unary, variadic } from "./operator.ts";

export const $concat: ExpressionOperator = variadic((values) => {
  let text = "";
  for (const value of values) {
    if (isNullish(value)) return nullValue;
    const given: Value = value;
    if (given.type !== bsonType.string) throw located(16_702, `$concat only supports strings, not ${typeOf(given)}`);
    text += textOf(given);
  }
  charge(text.length >> 6);
  return stringValue(text);
});

/** Text of what may stand for one: nothing is an empty text. Throws 16007 for types that have none. */
export function coercedText(value: Value | undefined): string {
  if (isNullish(value)) return "";
  const text = textForm(value as Value);
  if (text === undefined) throw located(16_007, `can't convert from BSON type ${typeOf(value)} to String`);
  return text;
}

/** Only ASCII letters have cases here (manual, "$toUpper"). */
function upper(text: string): string {
  return text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}

export const $toUpper: ExpressionOperator = unary((value) => stringValue(upper(coercedText(value))));

export const $toLower: ExpressionOperator = unary((value) =>
  stringValue(coercedText(value).replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())),
);

export const $strcasecmp: ExpressionOperator = binary((one, other) =>
  int32Value(Math.sign(Buffer.compare(Buffer.from(upper(coercedText(one))), Buffer.from(upper(coercedText(other)))))),
);

export const $strLenBytes: ExpressionOperator = unary((value) => {
  if (value?.type !== bsonType.string)
    throw located(34_473, `$strLenBytes requires a string argument, found: ${typeOf(value)}`);
  return int32Value(value.end - value.start - 5);
});

export const $strLenCP: ExpressionOperator = unary((value) => {
  if (value?.type !== bsonType.string)
    throw located(34_471, `$strLenCP requires a string argument, found: ${typeOf(value)}`);
  return int32Value(codePointCount(textOf(value)));
});

/** Code points of a text, without making a list of them. */
export function codePointCount(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length - 1; index += 1)
    if ((text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}

export const $split: ExpressionOperator = binary((value, separator) => {
  if (isNullish(value) || isNullish(separator)) return nullValue;
  const [text, by] = [value as Value, separator as Value];
  if (text.type !== bsonType.string)
    throw located(
      40_085,
      `$split requires an expression that evaluates to a string as a first argument, found: ${typeOf(text)}`,
    );
  if (by.type !== bsonType.string)
    throw located(
      40_086,
      `$split requires an expression that evaluates to a string as a second argument, found: ${typeOf(by)}`,
    );
  if (textOf(by) === "") throw located(40_087, "$split requires a non-empty separator");
  return arrayValue(textOf(text).split(textOf(by)).map(stringValue));
});

function replacing(replace: (text: string, find: string, by: string) => string): ExpressionOperator {
  return (argument, place) => {
    const { name } = place;
    const given = namedArguments(
      argument,
      place,
      { required: [], optional: ["input", "find", "replacement"] },
      { notObject: 51_751, unknown: 51_750, missing: 51_749 },
    );
    const parts = (
      [
        ["input", 51_749],
        ["find", 51_748],
        ["replacement", 51_747],
      ] as const
    ).map(([part, code]) => {
      const value = given.get(part);
      if (value === undefined) throw located(code, `${name} requires '${part}' to be specified`);
      return place.compile(value);
    });
    return (root) => {
      const values = parts.map((part) => part(root));
      for (const [index, value] of values.entries())
        if (!isNullish(value) && (value as Value).type !== bsonType.string)
          throw located(
            51_746 - index,
            `${name} requires that '${["input", "find", "replacement"][index] ?? ""}' be a string, found: ${typeOf(value)}`,
          );
      if (values.some(isNullish)) return nullValue;
      const [text = "", find = "", by = ""] = values.map((value) => textOf(value as Value));
      return stringValue(replace(text, find, by));
    };
  };
}

/** A function as replacement keeps `$&` and its like what they are: text. */
export const $replaceOne: ExpressionOperator = replacing((text, find, by) => text.replace(find, () => by));
export const $replaceAll: ExpressionOperator = replacing((text, find, by) => text.replaceAll(find, () => by));

/** What is taken off when no characters are given (manual, "$trim"). */
const whitespace = "\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a";

function trimming(left: boolean, right: boolean): ExpressionOperator {
  return (argument, place) => {
    const { name } = place;
    const given = namedArguments(
      argument,
      place,
      { required: ["input"], optional: ["chars"] },
      { notObject: 50_696, unknown: 50_694, missing: 50_695 },
    );
    const input = place.compile(given.get("input") as Value);
    const chars = given.get("chars");
    const set = chars === undefined ? undefined : place.compile(chars);
    return (root) => {
      const value = input(root);
      if (isNullish(value)) return nullValue;
      const text: Value = value;
      if (text.type !== bsonType.string)
        throw located(50_699, `${name} requires its input to be a string, got ${typeOf(text)} instead.`);
      const characters = set === undefined ? stringValue(whitespace) : set(root);
      if (isNullish(characters)) return nullValue;
      const taken: Value = characters;
      if (taken.type !== bsonType.string)
        throw located(50_700, `${name} requires 'chars' to be a string, got ${typeOf(taken)} instead.`);
      return stringValue(trimmed(textOf(text), new Set(textOf(taken)), left, right));
    };
  };
}

function trimmed(text: string, set: ReadonlySet<string>, left: boolean, right: boolean): string {
  const points = [...text];
  let [start, end] = [0, points.length];
  if (left) while (start < end && set.has(points[start] as string)) start += 1;
  if (right) while (end > start && set.has(points[end - 1] as string)) end -= 1;
  return points.slice(start, end).join("");
}

export const $trim: ExpressionOperator = trimming(true, true);
export const $ltrim: ExpressionOperator = trimming(true, false);
export const $rtrim: ExpressionOperator = trimming(false, true);
