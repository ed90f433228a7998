import { badValue, located } from "../engine-error.ts";
import {
  escaped,
  type FoldingBudget,
  foldings,
  invalidPattern,
  readClass,
  readEscapedCharacter,
  readProperty,
  shortClasses,
} from "./pattern-characters.ts";

/** A pattern as JavaScript takes it, and what its cost depends on. */
export interface TranslatedPattern {
  readonly source: string;
  readonly flags: string;
  /** Repetitions without end, or nearly so: each may cost a factor of the text's length. */
  readonly loops: number;
  /** Whether something that can be met in several ways is repeated, which may cost without bound. */
  readonly nested: boolean;
}

interface Group {
  readonly caseless: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
  /** Whether what was read of the group can be met in several ways. */
  varies: boolean;
}

/** Longest pattern that is compiled (the limit of MongoDB's own library). */
const patternLengthMax = 32_764;

/** Repetitions up to this many times are counted as none. */
const smallRepetition = 10;

const lookarounds: ReadonlySet<string> = new Set(["=", "!", "<=", "<!"]);

/**
 * Translates a pattern from PCRE's dialect with the options `imsxu` (manual, "$regex"). Letter case is written out and characters beyond 16 bits are kept whole
 * without JavaScript's `i` and `u` modes, which V8's linear engine does not have. Throws 51091 for what is invalid or cannot be said in JavaScript, 51108 for options.
 */
export function translatePattern(pattern: string, options: string): TranslatedPattern {
  if (pattern.length > patternLengthMax) throw invalidPattern("pattern too long");
  if (pattern.includes("\0") || options.includes("\0"))
    throw badValue("Regular expression cannot contain an embedded null byte");
  if (/[^imsxu]/.test(options)) throw located(51108, "invalid flag in regex options");
  const wide = /\\[pP]/.test(pattern) || hasAstralClass(pattern);
  return new Translator(pattern, options, wide).run();
}

/** Whether brackets may hold characters beyond 16 bits. */
function hasAstralClass(pattern: string): boolean {
  let inside = false;
  for (const character of pattern) {
    if (inside && character.length > 1) return true;
    if (character === "[") inside = true;
    else if (character === "]") inside = false;
  }
  return /\\x\{0*[1-9a-f][\da-f]{4}/i.test(pattern) && pattern.includes("[");
}

class Translator {
  readonly #text: readonly string[];
  /** Whether JavaScript's Unicode mode is needed, for properties and for classes of characters beyond 16 bits. */
  readonly #wide: boolean;
  #multiline: boolean;
  #groups: Group[];
  #index = 0;
  #source: string[] = [];
  #names: string[] = [];
  #captures = 0;
  #loops = 0;
  #nested = false;
  readonly #folding: FoldingBudget = { left: 50_000 };

  constructor(pattern: string, options: string, wide: boolean) {
    this.#text = [...pattern];
    this.#wide = wide;
    this.#multiline = options.includes("m");
    this.#groups = [
      {
        caseless: options.includes("i"),
        dotAll: options.includes("s"),
        extended: options.includes("x"),
        varies: false,
      },
    ];
  }

  get #group(): Group {
    return this.#groups.at(-1) as Group;
  }

  run(): TranslatedPattern {
    while (this.#index < this.#text.length) this.#step();
    if (this.#groups.length > 1) throw invalidPattern("missing closing parenthesis");
    const flags = (this.#multiline ? "m" : "") + (this.#wide ? "u" : "");
    return { source: this.#source.join(""), flags, loops: this.#loops, nested: this.#nested };
  }

  #step(): void {
    const character = this.#text[this.#index] as string;
    this.#index += 1;
    if (this.#group.extended && /\s/.test(character)) return;
    switch (character) {
      case "#":
        if (!this.#group.extended) return this.#atom(escaped(character), false);
        while (this.#index < this.#text.length && this.#text[this.#index] !== "\n") this.#index += 1;
        return;
      case "(":
        return this.#openGroup();
      case ")":
        return this.#closeGroup();
      case "[":
        return this.#bracket();
      case ".":
        return this.#dot();
      case "|":
        this.#group.varies = true;
        this.#source.push("|");
        return;
      case "^":
        this.#source.push("^");
        return;
      case "$":
        // Without the m option PCRE's `$` also stands before a last line feed.
        this.#source.push(this.#multiline ? "$" : "(?:\\n?$)");
        return;
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw invalidPattern("quantifier does not follow a repeatable item");
      default:
        return this.#atom(this.#literal(character), false);
    }
  }

  #literal(character: string): string {
    const variants = foldings(character, this.#group.caseless);
    if (variants.length === 1) return character.length === 1 ? escaped(character) : `(?:${escaped(character)})`;
    return variants.every((variant) => variant.length === 1)
      ? `[${variants.map(escaped).join("")}]`
      : `(?:${variants.map(escaped).join("|")})`;
  }

  #dot(): void {
    const excluded = this.#group.dotAll ? "" : "\\n";
    this.#anyBut(excluded);
  }

  /** Any one character but those; a pair of surrogates is one, and no half of it. */
  #anyBut(body: string): void {
    if (this.#wide) return this.#atom(`[^${body}]`, false);
    // Repeated without end it may take halves: what follows takes none, so that it stops at whole ones or not at all. This is much faster.
    this.#atom(`(?:[^${body}\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])`, false, `[^${body}]`);
  }

  #bracket(): void {
    const { body, negated, next } = readClass(
      this.#text,
      this.#index,
      this.#group.caseless ? this.#folding : undefined,
    );
    this.#index = next;
    if (negated) this.#anyBut(body);
    else this.#atom(`[${body}]`, false);
  }

  #escape(): void {
    const letter = this.#text[this.#index] ?? "";
    if (letter === "Q") return this.#quoted();
    if (letter === "E") return this.#skip();
    const assertion = { A: this.#multiline ? "(?<![^])" : "^", z: "(?![^])", Z: "(?=\\n?(?![^]))", b: "\\b", B: "\\B" }[
      letter
    ];
    if (assertion !== undefined) {
      this.#source.push(assertion);
      return this.#skip();
    }
    if (letter === "p" || letter === "P") {
      const { body, next } = readProperty(this.#text, this.#index - 1);
      this.#index = next;
      return this.#atom(body, false);
    }
    if (letter === "N") {
      this.#skip();
      return this.#anyBut("\\n");
    }
    if (letter === "R") {
      this.#skip();
      return this.#atom("(?:\\r\\n|[\\n-\\r\\x85\\u2028\\u2029])", false);
    }
    const body = Object.hasOwn(shortClasses, letter) ? shortClasses[letter] : undefined;
    if (body !== undefined) {
      this.#skip();
      const opposite = shortClasses[letter.toLowerCase()] as string;
      return letter === letter.toUpperCase() ? this.#anyBut(opposite) : this.#atom(`[${body}]`, false);
    }
    if (letter === "H" || letter === "V") {
      this.#skip();
      return this.#anyBut(shortClasses[letter.toLowerCase()] as string);
    }
    if (/^[1-9kg]$/.test(letter)) return this.#backReference();
    const read = readEscapedCharacter(this.#text, this.#index);
    if (read === undefined) throw invalidPattern("unrecognized or unsupported character follows \\");
    this.#index = read.next;
    this.#atom(this.#literal(read.character), false);
  }

  #skip(): void {
    this.#index += 1;
  }

  #quoted(): void {
    this.#skip();
    while (this.#index < this.#text.length) {
      const character = this.#text[this.#index] as string;
      if (character === "\\" && this.#text[this.#index + 1] === "E") {
        this.#index += 2;
        return;
      }
      this.#index += 1;
      this.#atom(this.#literal(character), false);
    }
  }

  #backReference(): void {
    const rest = this.#text.slice(this.#index, this.#index + 80).join("");
    const match = /^(?:([1-9]\d?)|g\{?([1-9]\d?)\}?|[kg](?:\{(\w+)\}|<(\w+)>|'(\w+)'))/.exec(rest);
    if (match === null) throw invalidPattern("a reference that is not supported");
    const name = match[3] ?? match[4] ?? match[5];
    this.#refer(name === undefined ? Number(match[1] ?? match[2]) : this.#names.indexOf(name) + 1, match[0].length);
  }

  /** What a group captured, once more; `length` is how much of the pattern says so. */
  #refer(number: number, length: number): void {
    if (number < 1 || number > this.#captures) throw invalidPattern("reference to non-existent subpattern");
    if (this.#group.caseless) throw invalidPattern("a reference regardless of case is not supported");
    this.#index += length;
    this.#atom(`(?:\\${number})`, true);
  }

  #openGroup(): void {
    const rest = this.#text.slice(this.#index, this.#index + 80).join("");
    if (rest.startsWith("*")) throw invalidPattern("verbs are not supported");
    if (!rest.startsWith("?")) return this.#enter("(", 0, true);
    if (rest.startsWith("?#")) {
      const end = this.#text.indexOf(")", this.#index);
      if (end === -1) throw invalidPattern("missing ) after (?# comment");
      this.#index = end + 1;
      return;
    }
    const reference = /^\?P=([A-Za-z_]\w*)\)/.exec(rest);
    if (reference !== null) return this.#refer(this.#names.indexOf(reference[1] as string) + 1, reference[0].length);
    const named = /^\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (named !== null) return this.#enter("(", named[0].length, true, named[1] ?? named[2]);
    const around = /^\?(<?[=!])/.exec(rest);
    if (around !== null && lookarounds.has(around[1] as string)) {
      this.#group.varies = true;
      return this.#enter(`(${around[0]}`, around[0].length, false);
    }
    const flags = /^\?([imsx]*)(?:-([imsx]*))?([:)])/.exec(rest);
    if (flags === null) throw invalidPattern("a group of this kind is not supported");
    this.#applyFlags(flags[0].length, flags[1] ?? "", flags[2] ?? "", flags[3] === ":");
  }

  /** `(?i)` holds to the end of the group it stands in, `(?i:` opens one of its own. */
  #applyFlags(length: number, on: string, off: string, opens: boolean): void {
    if (/m/.test(on + off)) {
      if (this.#source.length > 0 || opens) throw invalidPattern("(?m) is supported at the beginning only");
      this.#multiline = on.includes("m");
    }
    if (opens) this.#enter("(?:", length, false);
    else this.#index += length;
    const { varies, caseless, dotAll, extended } = this.#group;
    const set = (flag: string, before: boolean): boolean => (before || on.includes(flag)) && !off.includes(flag);
    this.#groups[this.#groups.length - 1] = {
      varies,
      caseless: set("i", caseless),
      dotAll: set("s", dotAll),
      extended: set("x", extended),
    };
  }

  #enter(opening: string, length: number, captures: boolean, name?: string): void {
    if (this.#groups.length > 250) throw invalidPattern("parentheses are too deeply nested");
    if (captures) {
      this.#captures += 1;
      this.#names[this.#captures - 1] = name ?? "";
    }
    this.#index += length;
    this.#source.push(opening);
    this.#groups.push({ ...this.#group, varies: false });
  }

  #closeGroup(): void {
    if (this.#groups.length === 1) throw invalidPattern("unmatched closing parenthesis");
    const { varies } = this.#groups.pop() as Group;
    this.#atom(")", varies);
  }

  /** Writes an atom and the quantifier behind it; `looped` is what is repeated in its place when there is no end to it. */
  #atom(source: string, varies: boolean, looped: string = source): void {
    if (varies) this.#group.varies = true;
    while (this.#group.extended && /^\s$/.test(this.#text[this.#index] ?? "")) this.#index += 1;
    const rest = this.#text.slice(this.#index, this.#index + 24).join("");
    const match = /^(?:[*+?]|\{(\d{1,5})(?:(,)(\d{0,5}))?\})/.exec(rest);
    if (match === null) {
      this.#source.push(source);
      return;
    }
    this.#index += match[0].length;
    const follower = this.#text[this.#index];
    if (follower === "+") throw invalidPattern("possessive quantifiers are not supported");
    if (follower === "?") this.#index += 1;
    const [minimum, maximum] = limitsOf(match);
    if (maximum < minimum) throw invalidPattern("numbers out of order in {} quantifier");
    if (maximum > 65_535 && Number.isFinite(maximum)) throw invalidPattern("number too big in {} quantifier");
    const lazy = follower === "?" ? "?" : "";
    if (looped !== source && match[0] === "*") this.#source.push(`${looped}*${lazy}`);
    else if (looped !== source && match[0] === "+") this.#source.push(`${source}${looped}*${lazy}`);
    else this.#source.push(source + match[0] + lazy);
    if (varies && maximum > 1) this.#nested = true;
    if (maximum > smallRepetition && maximum !== minimum) this.#loops += 1;
    if (maximum !== minimum) this.#group.varies = true;
  }
}

function limitsOf(match: RegExpExecArray): readonly [number, number] {
  if (match[0] === "*") return [0, Number.POSITIVE_INFINITY];
  if (match[0] === "+") return [1, Number.POSITIVE_INFINITY];
  if (match[0] === "?") return [0, 1];
  const minimum = Number(match[1]);
  if (match[2] === undefined) return [minimum, minimum];
  return [minimum, match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3])];
}
