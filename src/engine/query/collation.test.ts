import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import { compileUpdate } from "../update/update.ts";
import { arrayValue } from "../bson/builder.ts";
import { documentValue, stringValue } from "../bson/value.ts";
import { equalityKeys, parseCollation, valueOrder } from "./collation.ts";
import { compileFilter } from "./filter.ts";
import { createSortOrder, parseSort } from "./sort.ts";

const collation = (document: Document): ReturnType<typeof parseCollation> => parseCollation(serialize(document));
const strength = (level: number, more: Document = {}): ReturnType<typeof parseCollation> =>
  collation({ locale: "en", strength: level, ...more });

function equal(one: string, other: string, by: ReturnType<typeof parseCollation>): boolean {
  return by?.compareText(one, other) === 0;
}

function sortedBy(texts: readonly string[], by: ReturnType<typeof parseCollation>): string[] {
  const order = createSortOrder(parseSort(serialize({ t: 1 })), by);
  return texts
    .map((t) => ({ t, key: order.keyOf(serialize({ t })) }))
    .toSorted((one, other) => order.compare(one.key, other.key))
    .map(({ t }) => t);
}

describe("collation", () => {
  test("the strength says whether accents and case tell strings apart", () => {
    const pairs = [
      ["a", "á"],
      ["a", "A"],
      ["a", "a"],
    ] as const;
    const equalAt = (by: ReturnType<typeof parseCollation>): boolean[] =>
      pairs.map(([one, other]) => equal(one, other, by));
    assert.deepEqual(equalAt(strength(1)), [true, true, true]);
    assert.deepEqual(equalAt(strength(1, { caseLevel: true })), [true, false, true]);
    assert.deepEqual(equalAt(strength(2)), [false, true, true]);
    assert.deepEqual(equalAt(strength(3)), [false, false, true]);
    assert.deepEqual(equalAt(strength(5)), [false, false, true]);
  });

  test("numbers in strings, upper case first and punctuation are as asked for", () => {
    assert.deepEqual(sortedBy(["a10", "a2", "A2"], strength(3)), ["a10", "a2", "A2"]);
    assert.deepEqual(sortedBy(["a10", "a2", "A2"], strength(3, { numericOrdering: true })), ["a2", "A2", "a10"]);
    assert.deepEqual(sortedBy(["a", "A"], strength(3, { caseFirst: "upper" })), ["A", "a"]);
    assert.equal(equal("black-bird", "blackbird", strength(3)), false);
    assert.equal(equal("black-bird", "blackbird", strength(3, { alternate: "shifted" })), true);
  });

  test("the locale has its own order", () => {
    assert.deepEqual(sortedBy(["z", "ö", "o"], collation({ locale: "de" })), ["o", "ö", "z"]);
    assert.deepEqual(sortedBy(["z", "ö", "o"], collation({ locale: "sv" })), ["o", "z", "ö"]);
    assert.deepEqual(sortedBy(["af", "ä", "ad"], collation({ locale: "de@collation=phonebook" })), ["ad", "ä", "af"]);
    assert.deepEqual(sortedBy(["coté", "côte"], collation({ locale: "fr_CA" })), ["côte", "coté"]);
  });

  test("no collation and the simple one are none, and every field is listed with its default", () => {
    assert.equal(collation({}), undefined);
    assert.equal(collation({ locale: "simple" }), undefined);
    assert.deepEqual(deserialize(strength(2)?.specification as Uint8Array), {
      locale: "en",
      caseLevel: false,
      caseFirst: "off",
      strength: 2,
      numericOrdering: false,
      alternate: "non-ignorable",
      maxVariable: "punct",
      normalization: false,
      backwards: false,
      version: "57.1",
    });
  });

  test("what is no collation is refused with MongoDB's codes, and what ICU is not asked for here with 238", () => {
    const code = (document: Document): unknown => {
      try {
        collation(document);
        return undefined;
      } catch (error) {
        return (error as { code: number }).code;
      }
    };
    assert.deepEqual(
      [
        { locale: "en", strong: 1 },
        { strength: 1 },
        { locale: 5 },
        { locale: "en", strength: "1" },
        { locale: "en", strength: 0 },
        { locale: "en", strength: 6 },
        { locale: "en", strength: -1 },
        { locale: "en", backwards: 1 },
        { locale: "en", caseFirst: "first" },
        { locale: "xx_nowhere" },
        { locale: "fr_FR" },
        { locale: "de@collation=nothing" },
      ].map(code),
      [40_415, 40_414, 14, 14, 2, 51_024, 51_024, 14, 2, 2, 2, 2],
    );
    assert.deepEqual(
      [
        { locale: "en", alternate: "shifted", strength: 4 },
        { locale: "en", alternate: "shifted", maxVariable: "space" },
        { locale: "sv", backwards: true },
      ].map(code),
      [238, 238, 238],
    );
  });

  test("a level of case stands between accents and variants, and accents may be compared from the end", () => {
    const order = (options: Document, texts: readonly string[]): string => {
      const collation = parseCollation(serialize(options));
      return texts.toSorted((one, other) => collation?.compareText(one, other) ?? 0).join(" ");
    };
    const texts = ["CÔTE", "côte", "Cote", "cote", "coté"];
    assert.equal(order({ locale: "en", strength: 2, caseLevel: true }, texts), "cote Cote coté côte CÔTE");
    assert.equal(
      order({ locale: "en", strength: 3, caseLevel: true, caseFirst: "upper" }, texts),
      "Cote cote coté CÔTE côte",
    );
    assert.equal(order({ locale: "en", backwards: true }, texts), "cote Cote côte CÔTE coté");
    assert.equal(order({ locale: "fr_CA" }, texts), "cote Cote côte CÔTE coté");
    assert.equal(order({ locale: "fr_CA", backwards: false }, texts), "cote Cote coté côte CÔTE");
    assert.equal(order({ locale: "sv", strength: 1, backwards: true }, ["b", "a"]), "a b", "no accents to compare");
  });

  test("queries compare strings by it, within documents and arrays too, and patterns do not", () => {
    const found = (query: Document, document: Document): boolean =>
      compileFilter(serialize(query), { collation: strength(2) }).matches(serialize(document));
    assert.equal(found({ a: "x" }, { a: "X" }), true);
    assert.equal(found({ a: { $ne: "x" } }, { a: "X" }), false);
    assert.equal(found({ a: { $in: ["q", "x"] } }, { a: ["X"] }), true);
    assert.equal(
      found({ a: { $in: Array.from({ length: 20 }, (_, n) => `n${n}`) } }, { a: "N7" }),
      true,
      "a long list",
    );
    assert.equal(found({ a: { $gt: "x" } }, { a: "X" }), false);
    assert.equal(found({ a: { $gte: "x" } }, { a: "X" }), true);
    assert.equal(found({ a: { b: ["x"] } }, { a: { b: ["X"] } }), true);
    assert.equal(found({ a: { $all: ["x"] } }, { a: ["X", "y"] }), true);
    assert.equal(found({ a: { $elemMatch: { b: "x" } } }, { a: [{ b: "X" }] }), true);
    assert.equal(found({ a: /x/ }, { a: "X" }), false);
    assert.equal(found({ a: "x" }, { a: "x́" }), false);
  });

  test("updates find equal elements by it", () => {
    const updated = (update: Document, document: Document): Document => {
      const filter = compileFilter(serialize({}));
      const change = compileUpdate(serialize(update), { collation: strength(2) });
      return deserialize(change(serialize(document), { filter, moment: { nowMs: 0 }, inserting: false }));
    };
    assert.deepEqual(updated({ $addToSet: { a: "X" } }, { a: ["x"] }), { a: ["x"] });
    assert.deepEqual(updated({ $pull: { a: "X" } }, { a: ["x", "y"] }), { a: ["y"] });
    assert.deepEqual(updated({ $pullAll: { a: ["X"] } }, { a: ["x", "y"] }), { a: ["y"] });
    assert.deepEqual(updated({ $push: { a: { $each: ["B"], $sort: 1 } } }, { a: ["c", "a"] }), { a: ["a", "B", "c"] });
    assert.deepEqual(updated({ $max: { a: "B" } }, { a: "a" }), { a: "B" });
  });

  test("equal strings have equal keys, also where they were met in any order", () => {
    const keyOf = equalityKeys(strength(1));
    const text = (value: string): string => keyOf(stringValue(value));
    assert.equal(text("b"), text("B"));
    assert.equal(text("á"), text("A"));
    assert.notEqual(text("a"), text("b"));
    const document = (value: Document): string => keyOf(documentValue(serialize(value)));
    assert.equal(document({ a: ["Á"] }), document({ a: ["a"] }));
    assert.notEqual(document({ A: 1 }), document({ a: 1 }));
  });

  test("values of other types keep their order", () => {
    const compare = valueOrder(strength(1));
    assert.ok(compare(documentValue(serialize({ a: 1 })), documentValue(serialize({ b: 1 }))) < 0);
    assert.ok(compare(documentValue(serialize({ a: "A" })), documentValue(serialize({ a: "a", b: 1 }))) < 0);
    assert.ok(compare(stringValue("zzz"), arrayValue([])) < 0);
  });
});
