import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EngineError } from "../engine-error.ts";
import { compilePattern } from "./regular-expression.ts";

const codeOf = (code: number) => (error: unknown) => error instanceof EngineError && error.code === code;

describe("regular expressions", () => {
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ["foo", "", "a foo b", true],
    ["FOO", "", "foo", false],
    ["FOO", "i", "foo", true],
    ["(?i)FOO", "", "foo", true],
    ["a(?i)b", "", "aB", true],
    ["a(?i)b", "", "AB", false],
    ["a(?i:b)c", "", "aBC", false],
    ["ÉTÉ", "i", "été", true],
    ["[a-c]x", "i", "Bx", true],
    ["[^a]", "i", "A", false],
    ["^b", "", "a\nb", false],
    ["^b", "m", "a\nb", true],
    ["a.b", "", "a\nb", false],
    ["a.b", "s", "a\nb", true],
    ["a.b", "", "a\rb", true],
    ["^.$", "", "😀", true],
    ["^..$", "", "😀", false],
    ["^[^a]$", "", "😀", true],
    ["^.+.+$", "", "😀", false],
    ["^.*.$", "", "😀", true],
    ["^.*b$", "", "a😀b", true],
    ["^[😀-😂]$", "", "😁", true],
    ["^[\\x{1F600}-\\x{1F602}]$", "", "😁", true],
    ["^[а-я]+$", "i", "ЯБЛОКО", true],
    ["^😀{2}$", "", "😀😀", true],
    ["a$", "", "a\n", true],
    ["a\\z", "", "a\n", false],
    ["\\Aa", "m", "b\na", false],
    ["a b # c", "x", "ab", true],
    ["a +b", "x", "aaab", true],
    ["^[[:alpha:]]+$", "", "abc", true],
    ["\\d\\s\\w", "", "1 a", true],
    ["^\\s$", "", "\u00a0", false],
    ["\\Qa.b\\E", "", "axb", false],
    ["\\Qa.b\\E", "", "a.b", true],
    ["\\x41\\x{1F600}", "", "A😀", true],
    ["(?P<x>a)\\k<x>", "", "aa", true],
    ["(?P<x>a|b)c(?P=x)d", "", "bcbd", true],
    ["(?P<x>a|b)c(?P=x)d", "", "bcad", false],
    ["(a)\\1", "", "ab", false],
    ["(?<=a)b(?!c)", "", "abd", true],
    ["a{2,3}$", "", "aaa", true],
    ["^a{,3}$", "", "a{,3}", true],
    ["\\p{Lu}", "", "É", true],
    ["(?#no)a", "", "a", true],
    ["^$", "", "", true],
  ];
  for (const [pattern, options, text, expected] of cases) {
    test(`/${pattern}/${options} ${expected ? "finds" : "does not find"} ${JSON.stringify(text)}`, () => {
      assert.equal(compilePattern(pattern, options)(text), expected);
    });
  }

  for (const pattern of [
    "(",
    ")",
    "[a",
    "a**",
    "*a",
    "(?>a)",
    "a++",
    "\\",
    "(?R)",
    "[z-a]",
    "a{3,2}",
    "\\2(a)",
    "[[:no:]]",
  ])
    test(`${pattern} is refused as invalid`, () => {
      assert.throws(() => compilePattern(pattern, ""), codeOf(51_091));
    });

  test("options nobody knows are refused", () => {
    assert.throws(() => compilePattern("a", "g"), codeOf(51_108));
  });

  test("classes regardless of case are taken as long as they are of a sane size", () => {
    const classes = (count: number) => "[\\x{100}-\\x{8CF}]".repeat(count);
    compilePattern(classes(25), "i");
    assert.throws(() => compilePattern(classes(26), "i"), codeOf(51_091));
  });

  for (const length of [32_764, 32_765])
    test(`a pattern of ${length} characters is ${length > 32_764 ? "refused" : "taken"}`, () => {
      const compile = () => compilePattern("a".repeat(length), "");
      if (length > 32_764) assert.throws(compile, codeOf(51_091));
      else assert.equal(compile()("a"), false);
    });

  const costly: readonly (readonly [string, string, string])[] = [
    ["(x+x+)+y", "", "x".repeat(5000)],
    ["(x+x+)+y", "i", "x".repeat(5000)],
    ["(.*)*é", "", "x".repeat(5000)],
    ["(x+x+)+\\1y", "", "x".repeat(5000)],
    ["(?=(x+x+)+y)", "i", "x".repeat(5000)],
    ["(x{1,50}){1,50}y", "", "x".repeat(5000)],
    ["x+y", "", "x".repeat(3_000_000)],
  ];
  for (const [pattern, options, text] of costly) {
    test(`/${pattern}/${options} over ${text.length} characters ends: answered, or refused with 51156`, () => {
      try {
        assert.equal(compilePattern(pattern, options)(text), false);
      } catch (error) {
        assert.ok(codeOf(51_156)(error), String(error));
      }
    });
  }

  test("patterns that JavaScript has too find what they find there", () => {
    const atom = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\w", "(?:a|bc)", "(b)");
    const quantifier = fc.constantFrom("", "*", "+", "?", "{2}", "{1,2}", "*?", "+?");
    const pattern = fc
      .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.map((part) => part.join("")).join(""));
    fc.assert(
      fc.property(
        pattern,
        fc.constantFrom("", "i"),
        fc.array(fc.constantFrom("a", "b", "c", "A", "B"), { maxLength: 10 }).map((letters) => letters.join("")),
        (source, options, text) => {
          assert.equal(compilePattern(source, options)(text), new RegExp(source, options).test(text));
        },
      ),
      { numRuns: 1500 },
    );
  });
});
