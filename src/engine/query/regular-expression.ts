import { setFlagsFromString } from "node:v8";
import { createContext, Script } from "node:vm";
import { located } from "../engine-error.ts";
import { bsonType } from "../bson/types.ts";
import { regexOf, textOf, type Value } from "../bson/value.ts";
import { invalidPattern } from "./pattern-characters.ts";
import { translatePattern } from "./pattern-translation.ts";

/*
 * What keeps a pattern from holding the thread:
 * - V8's linear engine takes over when a pattern that it can run backtracks without end; `l` is its flag, by which it is asked whether it can.
 * - The cost of all others, and of quadratic search in long texts, is estimated from the pattern's shape and the text's length; beyond `directCostMax` the match
 *   runs under a watchdog that ends it after `guardedTimeMs`, and the query fails with 51156.
 */
setFlagsFromString("--enable-experimental-regexp-engine");
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");

/** Steps that a match may cost without a watchdog, about a tenth of a second. */
const directCostMax = 2 ** 26;

/** Longest time for one match. */
const guardedTimeMs = 100;

/** Finds the pattern in a text. Throws 51156 when that takes too long. */
export type PatternTest = (text: string) => boolean;

/** Compiles a pattern with its options (`imsxu`). Throws 51091 for patterns, 51108 for options that are not valid. */
export function compilePattern(pattern: string, options: string): PatternTest {
  const { expression, costly } = prepare(pattern, options, "");
  const test = (text: string): boolean => expression.test(text);
  return (text) => (costly(text, 1) ? runGuarded(() => test(text)) : run(() => test(text)));
}

/** Where a pattern was found: the place in UTF-16 units, and what its groups hold. */
export interface PatternMatch {
  readonly index: number;
  readonly text: string;
  readonly groups: readonly (string | undefined)[];
}

/** As `compilePattern`, telling where the pattern is found: the first place, or all of them one behind the other. */
export function compilePatternSearch(
  pattern: string,
  options: string,
): (text: string, all: boolean) => readonly PatternMatch[] {
  const { expression, costly } = prepare(pattern, options, "g");
  return (text, all) => {
    const search = (): PatternMatch[] => matchesOf(expression, text, all);
    // Each of many matches may look through all of the text.
    return costly(text, all ? 2 : 1) ? runGuarded(search) : run(search);
  };
}

function matchesOf(expression: RegExp, text: string, all: boolean): PatternMatch[] {
  const found: PatternMatch[] = [];
  expression.lastIndex = 0;
  for (;;) {
    const match = expression.exec(text);
    if (match === null) return found;
    found.push({ index: match.index, text: match[0], groups: match.slice(1) });
    // What is empty is found again at the same place: the search goes on behind the next character.
    if (match[0] === "") expression.lastIndex += (text.codePointAt(expression.lastIndex) ?? 0) > 0xffff ? 2 : 1;
    if (!all || expression.lastIndex >= text.length) return found;
  }
}

function prepare(
  pattern: string,
  options: string,
  mode: "" | "g",
): { readonly expression: RegExp; readonly costly: (text: string, times: number) => boolean } {
  const { source, flags, loops, nested } = translatePattern(pattern, options);
  const linear = isLinear(source, flags);
  const factor = linear ? Math.min(loops, 1) : loops;
  const unbounded = nested && !linear;
  return {
    expression: construct(source, flags + mode),
    costly: (text, times) => unbounded || Math.max(text.length, 1) ** (factor + times) > directCostMax,
  };
}

/** Whether a value is a string the pattern finds, or the same regular expression itself. */
export function createPatternMatch(pattern: string, options: string): (value: Value) => boolean {
  const test = compilePattern(pattern, options);
  return (value) => {
    if (value.type === bsonType.string || value.type === bsonType.symbol) return test(textOf(value));
    if (value.type !== bsonType.regex) return false;
    const stored = regexOf(value);
    return stored.pattern === pattern && stored.options === options;
  };
}

function construct(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    throw invalidPattern("it cannot be expressed on this server");
  }
}

function isLinear(source: string, flags: string): boolean {
  try {
    return new RegExp(source, `${flags}l`).flags.includes("l");
  } catch {
    return false;
  }
}

function run<Result>(work: () => Result): Result {
  try {
    return work();
  } catch {
    // V8 finds out at the first use that a pattern is too large.
    throw invalidPattern("regular expression is too large");
  }
}

const context = createContext({ work: () => undefined });
const script = new Script("work()");

/** A watchdog thread for each match costs about 0.2 ms, which is why it is for the few that need it. */
function runGuarded<Result>(work: () => Result): Result {
  context["work"] = work;
  try {
    return script.runInContext(context, { timeout: guardedTimeMs }) as Result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
      throw located(51_156, "Error occurred while executing the regular expression: the match takes too long");
    throw invalidPattern("regular expression is too large");
  } finally {
    context["work"] = undefined;
  }
}
