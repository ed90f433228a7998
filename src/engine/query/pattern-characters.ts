import { located } from "../engine-error.ts";

/** Inside brackets: what PCRE means by its short classes without Unicode properties, which is ASCII. */
export const shortClasses: Readonly<Record<string, string>> = {
  d: "0-9",
  D: "\\0-\\/:-\\uffff",
  w: "0-9A-Z_a-z",
  W: "\\0-\\/:-@\\[-^`{-\\uffff",
  s: "\\t-\\r ",
  S: "\\0-\\x08\\x0e-\\x1f!-\\uffff",
  h: "\\t \\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000",
  v: "\\n-\\r\\x85\\u2028\\u2029",
};

const posixClasses: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "0-9A-Za-z",
  upper: "A-Z",
  lower: "a-z",
  space: "\\t-\\r ",
  blank: "\\t ",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9A-Fa-f",
  word: "0-9A-Z_a-z",
  cntrl: "\\0-\\x1f\\x7f",
  graph: "!-~",
  print: " -~",
  ascii: "\\0-\\x7f",
};

/** Characters that escapes stand for. */
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 };

/** A refusal of a pattern: what is wrong, never the pattern's text alone. */
export function invalidPattern(reason: string): Error {
  return located(51_091, `Regular expression is invalid: ${reason}`);
}

/** The characters of one case-insensitive character. */
export function foldings(character: string, caseless: boolean): readonly string[] {
  if (!caseless) return [character];
  const variants = new Set([character, character.toLowerCase(), character.toUpperCase()]);
  return [...variants].filter((variant) => [...variant].length === 1);
}

/** A character as it may stand anywhere in a pattern, in brackets too. */
export function escaped(character: string): string {
  if (/^[A-Za-z0-9_ ]$/.test(character)) return character;
  return Array.from({ length: character.length }, (_, index) => {
    const hex = character.charCodeAt(index).toString(16).padStart(4, "0");
    return `\\u${hex}`;
  }).join("");
}

/** Reads the character that an escape stands for, `index` at what follows the backslash; undefined for escapes that stand for none. */
export function readEscapedCharacter(
  text: readonly string[],
  index: number,
): { readonly character: string; readonly next: number } | undefined {
  const letter = text[index];
  if (letter === undefined) throw invalidPattern("\\ at end of pattern");
  const control = controls[letter];
  if (control !== undefined) return { character: String.fromCodePoint(control), next: index + 1 };
  if (letter === "x") return readHex(text, index + 1);
  if (letter === "0") return readOctal(text, index);
  if (letter === "c" && text[index + 1] !== undefined) {
    const code = (text[index + 1] as string).toUpperCase().codePointAt(0) as number;
    return { character: String.fromCodePoint(code ^ 64), next: index + 2 };
  }
  return /[A-Za-z0-9]/.test(letter) ? undefined : { character: letter, next: index + 1 };
}

function readHex(text: readonly string[], start: number): { readonly character: string; readonly next: number } {
  const braced = text[start] === "{";
  let index = braced ? start + 1 : start;
  let digits = "";
  while (/^[\dA-Fa-f]$/.test(text[index] ?? "") && digits.length < (braced ? 8 : 2)) {
    digits += text[index];
    index += 1;
  }
  if (braced && text[index] !== "}") throw invalidPattern("\\x{ without }");
  const code = Number.parseInt(digits === "" ? "0" : digits, 16);
  if (code > 0x10ffff) throw invalidPattern("character code point value in \\x{} is too large");
  return { character: String.fromCodePoint(code), next: braced ? index + 1 : index };
}

function readOctal(text: readonly string[], start: number): { readonly character: string; readonly next: number } {
  let index = start;
  let digits = "";
  while (/^[0-7]$/.test(text[index] ?? "") && digits.length < 3) {
    digits += text[index];
    index += 1;
  }
  return { character: String.fromCodePoint(Number.parseInt(digits, 8)), next: index };
}

/** How many characters of ranges a pattern may still have folded; ranges can name far more characters than they have letters. */
export interface FoldingBudget {
  left: number;
}

/** A bracket expression as JavaScript writes it, `start` behind its `[`; regardless of case when there is a `folding`. Throws 51091. */
export function readClass(
  text: readonly string[],
  start: number,
  folding: FoldingBudget | undefined,
): { readonly body: string; readonly negated: boolean; readonly next: number } {
  let index = start;
  const negated = text[index] === "^";
  if (negated) index += 1;
  let body = "";
  let first = true;
  for (;;) {
    const item = text[index];
    if (item === undefined) throw invalidPattern("missing terminating ] for character class");
    if (item === "]" && !first) return { body, negated, next: index + 1 };
    first = false;
    const named = readNamedClass(text, index);
    if (named !== undefined) {
      body += named.body;
      index = named.next;
      continue;
    }
    const from = readClassCharacter(text, index);
    index = from.next;
    const isRange = text[index] === "-" && text[index + 1] !== undefined && text[index + 1] !== "]";
    const to = isRange && readNamedClass(text, index + 1) === undefined ? readClassCharacter(text, index + 1) : from;
    index = to.next;
    if (compareCharacters(from.character, to.character) > 0)
      throw invalidPattern("range out of order in character class");
    body += rangeBody(from.character, to.character, folding);
  }
}

/** `[:alpha:]`, `\d` and their like. */
function readNamedClass(
  text: readonly string[],
  index: number,
): { readonly body: string; readonly next: number } | undefined {
  if (text[index] === "[" && text[index + 1] === ":") {
    const end = text.indexOf(":", index + 2);
    if (end === -1 || text[end + 1] !== "]") return undefined;
    const body = posixClasses[text.slice(index + 2, end).join("")];
    if (body === undefined) throw invalidPattern("unknown POSIX class name");
    return { body, next: end + 2 };
  }
  if (text[index] !== "\\") return undefined;
  const letter = text[index + 1] ?? "";
  if (letter === "p" || letter === "P") return readProperty(text, index);
  const body = Object.hasOwn(shortClasses, letter) ? shortClasses[letter] : undefined;
  return body === undefined ? undefined : { body, next: index + 2 };
}

/** `\p{...}` with its braces, as JavaScript's Unicode mode takes it too. */
export function readProperty(text: readonly string[], index: number): { readonly body: string; readonly next: number } {
  if (text[index + 2] !== "{") return { body: `\\${text[index + 1]}{${text[index + 2] ?? ""}}`, next: index + 3 };
  const end = text.indexOf("}", index + 3);
  if (end === -1) throw invalidPattern("malformed \\P or \\p sequence");
  return { body: text.slice(index, end + 1).join(""), next: end + 1 };
}

function readClassCharacter(
  text: readonly string[],
  index: number,
): { readonly character: string; readonly next: number } {
  if (text[index] !== "\\") return { character: text[index] as string, next: index + 1 };
  if (text[index + 1] === "b") return { character: "\b", next: index + 2 };
  if (/^[1-7]$/.test(text[index + 1] ?? "")) return readOctal(text, index + 1);
  const read = readEscapedCharacter(text, index + 1);
  if (read === undefined) throw invalidPattern("unrecognized character follows \\ in a class");
  return read;
}

function compareCharacters(one: string, other: string): number {
  return (one.codePointAt(0) as number) - (other.codePointAt(0) as number);
}

/** Ranges of more characters than this keep their case: nobody writes them to mean letters. */
const foldedRangeMax = 2000;

function rangeBody(from: string, to: string, folding: FoldingBudget | undefined): string {
  const range = from === to ? escaped(from) : `${escaped(from)}-${escaped(to)}`;
  if (folding === undefined) return range;
  const first = from.codePointAt(0) as number;
  const last = to.codePointAt(0) as number;
  if (last - first > foldedRangeMax) return range;
  folding.left -= last - first + 1;
  if (folding.left < 0) throw invalidPattern("too many characters in classes regardless of case");
  const others = new Set<string>();
  for (let code = first; code <= last; code += 1)
    for (const variant of foldings(String.fromCodePoint(code), true)) {
      const at = variant.codePointAt(0) as number;
      if (at < first || at > last) others.add(escaped(variant));
    }
  return range + [...others].join("");
}
