import { setFlagsFromString } from "node:v8";
import { badValue, located } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { regexOf, textOf, type Value } from "../bson/value.ts";

// A pattern that backtracks without end falls over to V8's linear engine. That engine has neither the `i` nor the `u` mode: patterns that need one of them can still
// hold the thread for long, which is why databases have a thread of their own.
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");

/** Longest pattern that is compiled (the limit of MongoDB's own library). */
const patternLengthMax = 32_764;

/**
 * A test for strings from a pattern and its options (`imsxu`, manual "$regex"). PCRE's dialect is taken as far as JavaScript's is the same: inline `(?i)` at the
 * beginning, POSIX classes and `\A`, `\z`, `\Z`, `\h` are translated, what JavaScript cannot express is refused with 51091.
 */
export function compilePattern(pattern: string, options: string): RegExp {
  if (pattern.length > patternLengthMax) throw located(51091, "Regular expression is invalid: pattern too long");
  if (pattern.includes("\0") || options.includes("\0"))
    throw badValue("Regular expression cannot contain an embedded null byte");
  if (/[^imsxu]/.test(options)) throw located(51108, `invalid flag in regex options: ${options}`);
  const inline = /^\(\?([imsx]+)\)/.exec(pattern);
  const body = inline === null ? pattern : pattern.slice(inline[0].length);
  const flags = new Set(options + (inline?.[1] ?? ""));
  const source = translated(flags.has("x") ? withoutLayout(body) : body);
  const jsFlags = ["i", "m", "s"].filter((flag) => flags.has(flag)).join("");
  try {
    return new RegExp(source, needsCodePoints(source) ? `${jsFlags}u` : jsFlags);
  } catch {
    try {
      // PCRE allows escapes that the unicode mode refuses.
      return new RegExp(source, jsFlags);
    } catch {
      throw located(51_091, `Regular expression is invalid: ${pattern.slice(0, 200)}`);
    }
  }
}

/** Whether matching by UTF-16 units could differ from matching by characters: what stands for "any character" must not take half of one. */
function needsCodePoints(source: string): boolean {
  return /[\ud800-\udfff]|\\[SWDpPu]|\[\^|(?<!\\)(?:\\\\)*\./.test(source);
}

/** Whether a value is a string the pattern finds, or the same regular expression itself. */
export function createPatternMatch(pattern: string, options: string): (value: Value) => boolean {
  const expression = compilePattern(pattern, options);
  return (value) => {
    if (value.type === bsonType.string || value.type === bsonType.symbol) return expression.test(textOf(value));
    if (value.type !== bsonType.regex) return false;
    const stored = regexOf(value);
    return stored.pattern === pattern && stored.options === options;
  };
}

const posixClasses: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  punct: "!-\\/:-@\\[-`{-~",
  xdigit: "0-9a-fA-F",
  word: "\\w",
};

function translated(pattern: string): string {
  return pattern
    .replaceAll(/\[:([a-z]+):\]/g, (whole, name: string) => posixClasses[name] ?? whole)
    .replaceAll(/(\\\\)|\\A|\\z|\\Z|\\h/g, (whole, escaped: string | undefined) => {
      if (escaped !== undefined) return whole;
      return (
        { "\\A": "(?<![\\s\\S])", "\\z": "(?![\\s\\S])", "\\Z": "(?=\\n?(?![\\s\\S]))", "\\h": "[ \\t]" }[whole] ??
        whole
      );
    });
}

/** The `x` option: white space and comments outside classes are layout. */
function withoutLayout(pattern: string): string {
  let result = "";
  let inClass = false;
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index] as string;
    if (character === "\\") {
      result += character + (pattern[index + 1] ?? "");
      index += 1;
    } else if (!inClass && /\s/.test(character)) {
      continue;
    } else if (!inClass && character === "#") {
      while (index < pattern.length && pattern[index] !== "\n") index += 1;
    } else {
      if (character === "[") inClass = true;
      if (character === "]") inClass = false;
      result += character;
    }
  }
  return result;
}
