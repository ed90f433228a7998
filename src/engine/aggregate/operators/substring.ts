import { located } from "../../engine-error.ts";
import { toNumber } from "../../bson/numbers.ts";
import { bsonType } from "../../bson/types.ts";
import { int32Value, nullValue, stringValue, textOf, type Value } from "../../bson/value.ts";
import type { Expression } from "../context.ts";
import { boundOf } from "./array.ts";
import { countedArguments, type ExpressionOperator, int32Of, isNullish, isNumber, typeOf } from "./operator.ts";
import { codePointCount, coercedText } from "./string.ts";

/** `[text, start, length]` in bytes; a negative length goes to the end. `$substr` is its old name. */
export const $substrBytes: ExpressionOperator = (argument, place) => {
  const [text, start, length] = countedArguments(argument, place, 3, 3) as [Expression, Expression, Expression];
  return (root) => {
    const bytes = Buffer.from(coercedText(text(root)), "utf8");
    const from = startOf(start(root), place.name);
    const count = lengthOf(length(root), place.name);
    const end = count < 0 ? bytes.length : Math.min(bytes.length, from + count);
    if (isContinuation(bytes[from]))
      throw located(28_656, `${place.name}:  Invalid range, starting index is a UTF-8 continuation byte.`);
    if (from < bytes.length && isContinuation(bytes[end]))
      throw located(28_657, `${place.name}:  Invalid range, ending index is in the middle of a UTF-8 character.`);
    return stringValue(from >= bytes.length ? "" : bytes.toString("utf8", from, end));
  };
};

export const $substr: ExpressionOperator = $substrBytes;

function startOf(value: Value | undefined, name: string): number {
  if (!isNumber(value))
    throw located(16_034, `${name}:  starting index must be a numeric type (is BSON type ${typeOf(value)})`);
  const number = Math.trunc(toNumber(value));
  if (number < 0) throw located(50_752, `${name}:  starting index must be non-negative (got: ${number})`);
  return number;
}

function lengthOf(value: Value | undefined, name: string): number {
  if (!isNumber(value))
    throw located(16_035, `${name}:  length must be a numeric type (is BSON type ${typeOf(value)})`);
  return Math.trunc(toNumber(value));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** `[text, start, length]` in code points. */
export const $substrCP: ExpressionOperator = (argument, place) => {
  const [text, start, length] = countedArguments(argument, place, 3, 3) as [Expression, Expression, Expression];
  return (root) => {
    const points = [...coercedText(text(root))];
    const from = codePointNumber(start(root), "starting index", 34_450);
    if (from < 0) throw located(34_455, "$substrCP: the starting index must be nonnegative integer.");
    const count = codePointNumber(length(root), "length", 34_452);
    if (count < 0) throw located(34_454, "$substrCP: length must be a nonnegative integer.");
    return stringValue(points.slice(from, from + count).join(""));
  };
};

function codePointNumber(value: Value | undefined, what: string, code: number): number {
  if (!isNumber(value))
    throw located(code, `$substrCP: ${what} must be a numeric type (is BSON type ${typeOf(value)})`);
  const number = int32Of(value);
  if (number === undefined)
    throw located(code + 1, `$substrCP: ${what} cannot be represented as a 32-bit integral value`);
  return number;
}

/** `[text, wanted, start, end]`: where the text is found, -1 when it is not. Units are the items that `unitsOf` gives. */
function indexIn<Units>(
  codes: { readonly text: number; readonly wanted: number },
  unitsOf: (text: string) => Units,
  search: (text: Units, wanted: Units, from: number, to: number | undefined) => number,
): ExpressionOperator {
  return (argument, place) => {
    const parts = countedArguments(argument, place, 2, 4);
    return (root) => {
      const [text, wanted, start, end] = parts.map((part) => part(root));
      if (isNullish(text)) return nullValue;
      const [given, find] = [text as Value, wanted];
      if (given.type !== bsonType.string)
        throw located(codes.text, `${place.name} requires a string as the first argument, found: ${typeOf(given)}`);
      if (find?.type !== bsonType.string)
        throw located(codes.wanted, `${place.name} requires a string as the second argument, found: ${typeOf(find)}`);
      const from = parts.length > 2 ? boundOf(start, "starting", place.name) : 0;
      const to = parts.length > 3 ? boundOf(end, "ending", place.name) : undefined;
      return int32Value(search(unitsOf(textOf(given)), unitsOf(textOf(find)), from, to));
    };
  };
}

export const $indexOfBytes: ExpressionOperator = indexIn(
  { text: 40_091, wanted: 40_092 },
  (text) => Buffer.from(text, "utf8"),
  (text, wanted, from, to) => {
    const end = Math.min(to ?? text.length, text.length);
    const found = from > end ? -1 : text.subarray(from, end).indexOf(wanted);
    return found === -1 ? -1 : from + found;
  },
);

export const $indexOfCP: ExpressionOperator = indexIn(
  { text: 40_093, wanted: 40_094 },
  (text) => [...text],
  (text, wanted, from, to) => {
    const end = Math.min(to ?? text.length, text.length);
    if (from > end) return -1;
    const before = text.slice(from, end).join("");
    const found = before.indexOf(wanted.join(""));
    return found === -1 ? -1 : from + codePointCount(before.slice(0, found));
  },
);
