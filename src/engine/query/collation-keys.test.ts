import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serialize } from "bson";
import fc from "fast-check";
import { type Collation, parseCollation } from "./collation.ts";

const collationOf = (specification: object): Collation => {
  const collation = parseCollation(serialize(specification));
  return collation ?? assert.fail("no collation");
};

/** Texts that ICU sees through: expansions, contractions, marks in either form, what it does not see, other scripts, widths, halves of pairs. */
const pieces = [
  ..."abcxyzABCZ0129 -_.@",
  "ß",
  "ss",
  "ẞ",
  "æ",
  "ae",
  "œ",
  "ﬁ",
  "fi",
  "é",
  "e\u0301",
  "\u0301",
  "\u0327\u0301",
  "å",
  "a\u030a",
  "ä",
  "ö",
  "ch",
  "ll",
  "lj",
  "ǆ",
  "IJ",
  "ĳ",
  "ñ",
  "ı",
  "İ",
  "i",
  "I",
  "ａ",
  "Ａ",
  "①",
  "1",
  "½",
  "\u200b",
  "\u00ad",
  "\u0000",
  "\u0008",
  "\ufeff",
  "\uffff",
  "\ufffe",
  "α",
  "Ω",
  "Ω",
  "д",
  "Ё",
  "ё",
  "ב",
  "ع",
  "क",
  "ก",
  "เก",
  "か",
  "が",
  "か\u3099",
  "カ",
  "ｶ",
  "ー",
  "한",
  "\u1112\u1161\u11ab",
  "中",
  "国",
  "國",
  "㐀",
  "𠀀",
  "😀",
  "👍🏽",
  "ꙮ",
  "Ꭰ",
  "ꭰ",
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join(""));
const collations = [
  { locale: "en", strength: 1 },
  { locale: "en", strength: 2 },
  { locale: "en", strength: 3 },
  { locale: "en", strength: 1, caseLevel: true },
  { locale: "de", strength: 1 },
  { locale: "de@collation=phonebook", strength: 2 },
  { locale: "sv", strength: 2 },
  { locale: "es@collation=traditional", strength: 2 },
  { locale: "cs", strength: 1 },
  { locale: "ja", strength: 2 },
  { locale: "zh", strength: 1 },
  { locale: "ko", strength: 1 },
  { locale: "th", strength: 2 },
  { locale: "tr", strength: 2 },
  { locale: "fr_CA", strength: 2 },
  { locale: "fr_CA", strength: 2, backwards: false },
  { locale: "de", strength: 2, backwards: true },
  { locale: "en", strength: 3, caseLevel: true },
  { locale: "en", strength: 2, caseLevel: true },
  { locale: "en", strength: 2, alternate: "shifted" },
  { locale: "en", strength: 1, numericOrdering: true },
  { locale: "en", strength: 5 },
];

describe("keys of texts under a collation", () => {
  for (const specification of collations)
    test(`texts that are equal have one key: ${JSON.stringify(specification)}`, () => {
      const collation = collationOf(specification);
      let equal = 0;
      const hold = (one: string, other: string): void => {
        if (collation.compareText(one, other) !== 0) return;
        equal += 1;
        assert.equal(collation.keyOf(one), collation.keyOf(other), JSON.stringify([one, other]));
      };
      // Pairs of single pieces are where the equal ones are.
      for (const one of pieces) for (const other of pieces) hold(`q${one}r`, `q${other}r`);
      fc.assert(
        fc.property(text, text, text, (first, one, other) => {
          hold(first + one, first + other);
          for (const changed of [one.toUpperCase(), one.normalize("NFD"), one.normalize("NFKD"), `${one}\u00ad`])
            hold(one + other, changed + other);
        }),
        { numRuns: 400 },
      );
      assert.ok(equal > pieces.length, `only ${equal} pairs were equal`);
    });

  test("texts of other letters have other keys, in whatever script", () => {
    const { keyOf, compareText } = methods(collationOf({ locale: "en", strength: 2 }));
    const names = [
      "ada",
      "adam",
      "Ada Lovelace",
      "muller",
      "Ωmega",
      "Αλφα",
      "Дмитрий",
      "Дарья",
      "田中",
      "田村",
      "김철수",
      "김영희",
    ];
    names.push("https://example.com/a", "https://example.com/b", "ב", "בן", "12", "21", "a b", "a-b", "😀", "😎");
    assert.equal(new Set(names.map(keyOf)).size, names.length);
    assert.equal(keyOf("müller"), keyOf("Muller"), "accents are for the comparison itself");
    assert.notEqual(compareText("müller", "Muller"), 0);
  });

  test("of long texts the beginning counts", () => {
    const { keyOf } = methods(collationOf({ locale: "en", strength: 2 }));
    const long = "x".repeat(64);
    assert.equal(keyOf(long).length, 64);
    assert.equal(keyOf(`${long}y`), keyOf(long));
    assert.notEqual(keyOf(long.slice(1)), keyOf(long));
  });
});

function methods(collation: Collation): Pick<Collation, "keyOf" | "compareText"> {
  return {
    keyOf: (one) => collation.keyOf(one),
    compareText: (one, other) => collation.compareText(one, other),
  };
}
