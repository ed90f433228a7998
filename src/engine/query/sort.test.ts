import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Document, MinKey, serialize } from "bson";
import { compareBytes } from "../bson/bytes.ts";
import { EngineError } from "../engine-error.ts";
import { createSortKey, parseSort } from "./sort.ts";

function sorted(specification: Document, documents: readonly Document[]): readonly Document[] {
  const keyOf = createSortKey(parseSort(serialize(specification)));
  return documents
    .map((document) => ({ document, key: keyOf(serialize(document)) }))
    .toSorted((one, other) => compareBytes(one.key, other.key))
    .map(({ document }) => document);
}

describe("sorting", () => {
  const inOrder: readonly (readonly [string, Document, readonly Document[]])[] = [
    [
      "types in the manual's order, missing as null",
      { a: 1 },
      [{ a: new MinKey() }, {}, { a: 1 }, { a: "" }, { a: {} }, { a: false }, { a: new Date(0) }],
    ],
    ["arrays by their least element ascending", { a: 1 }, [{ a: [] }, { a: [9, -1] }, { a: 0 }, { a: [1, 2] }]],
    ["arrays by their greatest element descending", { a: -1 }, [{ a: [9, -1] }, { a: [1, 2] }, { a: 0 }, { a: [] }]],
    ["dates before and after 1970", { a: 1 }, [{ a: new Date(-5) }, { a: new Date(0) }, { a: new Date(5) }]],
    [
      "fields of one array by the same element",
      { "a.x": 1, "a.y": 1 },
      [
        {
          a: [
            { x: 1, y: 5 },
            { x: 2, y: 0 },
          ],
        },
        { a: [{ x: 1, y: 6 }] },
      ],
    ],
    [
      "then by the second field",
      { a: 1, b: -1 },
      [
        { a: 1, b: 2 },
        { a: 1, b: 1 },
        { a: 2, b: 9 },
      ],
    ],
    ["a number in a path picks an element", { "a.1": 1 }, [{ a: [9, 1] }, { a: [0, 2] }]],
  ];
  for (const [name, specification, documents] of inOrder)
    test(name, () => {
      assert.deepEqual(sorted(specification, documents.toReversed()), documents);
    });

  test("fields in different arrays are refused with 2", () => {
    assert.throws(
      () => sorted({ a: 1, b: 1 }, [{ a: [1], b: [1] }]),
      (error) => error instanceof EngineError && error.code === 2,
    );
  });

  const refused: readonly (readonly [Document, number])[] = [
    [{ a: 2 }, 15_975],
    [{ a: "1" }, 15_975],
    [{ a: { $meta: "textScore" } }, 238],
    [{ "a..b": 1 }, 15_998],
    [Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`f${index}`, 1])), 13_103],
  ];
  for (const [specification, code] of refused)
    test(`${JSON.stringify(specification).slice(0, 40)} is refused with ${code}`, () => {
      assert.throws(
        () => parseSort(serialize(specification)),
        (error) => error instanceof EngineError && error.code === code,
      );
    });

  test("32 fields are taken", () => {
    const specification = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`f${index}`, 1]));
    assert.equal(parseSort(serialize(specification)).length, 32);
  });
});
