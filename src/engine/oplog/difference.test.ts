import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import fc from "fast-check";
import { buildDocument } from "../bson/builder.ts";
import { equalBytes } from "../bson/bytes.ts";
import type { Value } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import { applyDifference } from "./apply-difference.ts";
import { differenceOf } from "./difference.ts";

describe("the difference of an update", () => {
  const long = "x".repeat(200);
  const cases: [string, Document, Document, Document | undefined][] = [
    ["a field given another value", { _id: 1, long, a: 1 }, { _id: 1, long, a: 2 }, { u: { a: 2 } }],
    ["another type of the same number", { _id: 1, long, a: 1 }, { _id: 1, long, a: 1.5 }, { u: { a: 1.5 } }],
    ["a new field", { _id: 1, long }, { _id: 1, long, a: 2 }, { i: { a: 2 } }],
    ["a field gone", { _id: 1, a: 1, long }, { _id: 1, long }, { d: { a: false } }],
    [
      "all three",
      { _id: 1, a: 1, b: 1, long },
      { _id: 1, b: 2, long, c: 3 },
      { d: { a: false }, u: { b: 2 }, i: { c: 3 } },
    ],
    ["fields that changed places", { _id: 1, a: 1, b: 2, long }, { _id: 1, b: 2, a: 1, long }, undefined],
    ["a change of a document that is hardly longer", { _id: 1, a: 1 }, { _id: 1, a: 2 }, { u: { a: 2 } }],
    [
      "a field within a document",
      { _id: 1, a: { b: 1, c: { d: 1, long }, e: 1 } },
      { _id: 1, a: { b: 1, c: { d: 2, long }, f: 1 } },
      { sa: { d: { e: false }, i: { f: 1 }, sc: { u: { d: 2 } } } },
    ],
    [
      "elements of an array, changed, added and within",
      { _id: 1, a: [long, { b: 1, long }, 1] },
      { _id: 1, a: [long, { b: 2, long }, 2, 3] },
      { sa: { a: true, s1: { u: { b: 2 } }, u2: 2, u3: 3 } },
    ],
    ["an array cut short", { _id: 1, a: [long, 1, 2] }, { _id: 1, a: [long] }, { sa: { a: true, l: 1 } }],
    [
      "an array that is told of in less by what it is now",
      { _id: 1, a: [1, 2] },
      { _id: 1, a: [3] },
      { u: { a: [3] } },
    ],
    [
      "fields that changed places within",
      { _id: 1, a: { b: 1, c: 1 } },
      { _id: 1, a: { c: 1, b: 1 } },
      { u: { a: { c: 1, b: 1 } } },
    ],
  ];
  for (const [name, before, after, wanted] of cases)
    test(`${name} ${wanted === undefined ? "is said by the whole document" : "is said in short"}`, () => {
      const difference = differenceOf(serialize(before), serialize(after));
      assert.deepEqual(
        difference === undefined ? undefined : deserialize(difference),
        wanted && { $v: 2, diff: wanted },
      );
    });

  test("a difference always makes the very bytes of the document, also of names given twice", () => {
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.integer({ min: 0, max: 2 }),
        fc.constantFrom(-0, 0.5, null, "", long),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("a", "b", "0", ""), tie("value"), { maxKeys: 3 }),
      ),
    }));
    const document = fc
      .array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), value), { maxLength: 5 })
      .map((fields) =>
        buildDocument(
          [["_id", 1] as const, ...fields, ["long", long] as const].map(([name, one]) => [
            name,
            getField(serialize({ one }), "one") as Value,
          ]),
        ),
      );
    let short = 0;
    fc.assert(
      fc.property(document, document, (before, after) => {
        const difference = differenceOf(before, after);
        if (difference === undefined) return;
        short += 1;
        const parts = getField(difference, "diff") as Value;
        assert.ok(equalBytes(applyDifference(before, parts.bytes()), after));
      }),
      { numRuns: 500 },
    );
    assert.ok(short > 0);
  });
});
