import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import fc from "fast-check";
import { buildDocument } from "../bson/builder.ts";
import { equalBytes } from "../bson/bytes.ts";
import type { Value } from "../bson/value.ts";
import { fieldsOf, getField } from "../bson/walk.ts";
import { differenceOf } from "./difference.ts";

/** Applies a difference as the manual of the format has it: fields stay in place, deleted ones go, new ones come at the end. */
function apply(before: Uint8Array, difference: Uint8Array): Uint8Array {
  const parts = (getField(difference, "diff") as Value).bytes();
  const part = (name: string): Map<string, Value> => {
    const value = getField(parts, name);
    return new Map(
      value === undefined ? [] : Array.from(fieldsOf(value.bytes()), (field) => [field.name, field.value]),
    );
  };
  const [deleted, updated, inserted] = [part("d"), part("u"), part("i")];
  return buildDocument([
    ...Array.from(fieldsOf(before))
      .filter(({ name }) => !deleted.has(name))
      .map(({ name, value }) => [name, updated.get(name) ?? value] as const),
    ...inserted,
  ]);
}

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
    ["what is no shorter than the document", { _id: 1, a: 1 }, { _id: 1, a: 2 }, undefined],
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
    const value = fc.oneof(
      fc.integer({ min: 0, max: 2 }),
      fc.constantFrom(-0, 0.5, null, "", long),
      fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 2 }),
    );
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
        assert.ok(difference.length < after.length);
        assert.ok(equalBytes(apply(before, difference), after));
      }),
      { numRuns: 500 },
    );
    assert.ok(short > 0);
  });
});
