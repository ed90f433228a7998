import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import { EngineError } from "../engine-error.ts";
import { compileFilter } from "./filter.ts";
import { compileProjection } from "./projection.ts";

const document = { _id: 1, b: { c: 1, d: 2 }, a: [{ x: 1, y: 1 }, { x: 2, y: 2 }, 7], n: [1, 2, 3, 4] };

function projected(projection: Document, filter: Document = {}): Document {
  const project = compileProjection(serialize(projection), { find: true, filter: compileFilter(serialize(filter)) });
  return deserialize(project(serialize(document)));
}

/** Compared as text, since the order of fields counts. */
const cases: readonly (readonly [string, Document, Document, Document?])[] = [
  ["inclusion keeps the document's order and `_id`", { n: 1, b: true }, { _id: 1, b: document.b, n: document.n }],
  ["`_id` can be left out of an inclusion", { _id: 0, b: 1 }, { b: document.b }],
  ["exclusion keeps the rest", { a: 0, n: false }, { _id: 1, b: document.b }],
  ["`_id: 1` alone is an inclusion", { _id: 1 }, { _id: 1 }],
  ["`_id: 0` alone is an exclusion", { _id: 0 }, { b: document.b, a: document.a, n: document.n }],
  [
    "paths go into documents and arrays of them",
    { "a.x": 1, "b.d": 1 },
    { _id: 1, b: { d: 2 }, a: [{ x: 1 }, { x: 2 }] },
  ],
  ["excluded paths leave what is no document", { "a.x": 0, b: 0, n: 0 }, { _id: 1, a: [{ y: 1 }, { y: 2 }, 7] }],
  ["nested documents are paths", { b: { c: 1 } }, { _id: 1, b: { c: 1 } }],
  ["$slice from the end, the rest stays", { n: { $slice: -2 }, a: 0, b: 0 }, { _id: 1, n: [3, 4] }],
  ["$slice cuts a double at its point", { n: { $slice: 1.9 }, a: 0, b: 0 }, { _id: 1, n: [1] }],
  ["$slice with skip and limit", { n: { $slice: [1, 2] }, b: 1 }, { _id: 1, b: document.b, n: [2, 3] }],
  [
    "$elemMatch gives the first that fits, behind the others",
    { a: { $elemMatch: { x: { $gt: 1 } } }, n: 1 },
    { _id: 1, n: document.n, a: [{ x: 2, y: 2 }] },
  ],
  ["$elemMatch over values", { n: { $elemMatch: { $gt: 2 } } }, { _id: 1, n: [3] }],
  ["$elemMatch that nothing fits leaves the field out", { n: { $elemMatch: { $gt: 9 } } }, { _id: 1 }],
  ["the positional operator keeps what the query met", { "n.$": 1 }, { _id: 1, n: [3] }, { n: { $gt: 2 } }],
  ["the positional operator on documents", { "a.$": 1 }, { _id: 1, a: [{ x: 2, y: 2 }] }, { "a.x": 2 }],
];

const refused: readonly (readonly [Document, number])[] = [
  [{ a: 1, b: 0 }, 31_254],
  [{ a: 0, b: 1 }, 31_253],
  [{ a: 1, "a.b": 1 }, 31_249],
  [{ "a.b": 1, a: 1 }, 31_250],
  [{ "": 1 }, 40_352],
  [{ $a: 1 }, 16_410],
  [{ "a.$b": 1 }, 16_410],
  [{ a: {} }, 51_270],
  [{ "a.$": 1, "n.$": 1 }, 31_276],
  [{ "a.$.x": 1 }, 31_394],
  [{ "n.$": 1, a: { $elemMatch: { x: 1 } } }, 31_256],
  [{ "b.c": { $elemMatch: { x: 1 } } }, 31_275],
];

describe("projections", () => {
  for (const [name, projection, expected, filter] of cases)
    test(name, () => {
      assert.equal(JSON.stringify(projected(projection, filter)), JSON.stringify(expected));
    });

  for (const [projection, code] of refused)
    test(`${JSON.stringify(projection)} is refused with ${code}`, () => {
      assert.throws(
        () => projected(projection),
        (error) => error instanceof EngineError && error.code === code,
      );
    });

  test("the positional operator without a match in an array fails with 51246", () => {
    assert.throws(
      () => projected({ "n.$": 1 }, { "b.c": 1 }),
      (error) => error instanceof EngineError && error.code === 51_246,
    );
  });
});
