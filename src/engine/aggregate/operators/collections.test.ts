import { describe } from "node:test";
import { Int32 } from "bson";
import { promise, refuse } from "../../../../test/support/expressions.ts";

const ints = (...values: readonly number[]): Int32[] => values.map((value) => new Int32(value));

describe("arrays", () => {
  promise([
    [
      "a path through an array gives what its documents hold",
      "$a.b",
      ints(1, 2),
      { a: [{ b: 1 }, 5, { c: 0 }, { b: 2 }] },
    ],
    ["a number in a path picks nothing", "$a.0", [], { a: [1, 2] }],
    ["an element from the end", { $arrayElemAt: ["$a", -1] }, new Int32(3), { a: [1, 2, 3] }],
    ["an element that is not there is nothing", { $arrayElemAt: ["$a", 3] }, undefined, { a: [1, 2, 3] }],
    ["the first of an empty array is nothing", { $first: "$a" }, undefined, { a: [] }],
    ["a slice from a place", { $slice: ["$a", -2, 1] }, ints(2), { a: [1, 2, 3] }],
    [
      "filtering stops at its limit",
      { $filter: { input: "$a", cond: { $gt: ["$$this", 1] }, limit: 1 } },
      ints(2),
      { a: [1, 2, 3] },
    ],
    [
      "a variable of one's own name",
      { $map: { input: "$a", as: "x", in: { $add: ["$$x", "$b"] } } },
      ints(11, 12),
      { a: [1, 2], b: 10 },
    ],
    [
      "folding",
      { $reduce: { input: "$a", initialValue: 0, in: { $add: ["$$value", "$$this"] } } },
      new Int32(6),
      { a: [1, 2, 3] },
    ],
    [
      "maps within maps do not mix their variables",
      { $map: { input: [1, 2], in: { $map: { input: [10], as: "y", in: { $add: ["$$this", "$$y"] } } } } },
      [ints(11), ints(12)],
    ],
    [
      "zipping to the longest",
      { $zip: { inputs: [[1], [2, 3]], useLongestLength: true, defaults: [0, 0] } },
      [ints(1, 2), ints(0, 3)],
    ],
    ["a range downwards", { $range: [3, 0, -2] }, ints(3, 1)],
    [
      "sorting by fields",
      { $sortArray: { input: "$a", sortBy: { b: -1 } } },
      [{ b: new Int32(2) }, { b: new Int32(1) }],
      { a: [{ b: 1 }, { b: 2 }] },
    ],
    ["sorting by the elements themselves", { $sortArray: { input: [3, 1, 2], sortBy: 1 } }, ints(1, 2, 3)],
    ["where a value is", { $indexOfArray: [[1, 2, 1], 1, 1] }, new Int32(2)],
    ["numbers of other types are equal members", { $in: [1, "$a"] }, true, { a: [1.0] }],
  ]);
  refuse([
    [{ $size: "$missing" }, 17_124],
    [{ $in: [1, "x"] }, 40_081],
    [{ $range: [0, 2_147_483_647] }, 146],
    [{ $range: [0, 1, 0] }, 34_449],
    [{ $slice: [[1], 1, 0] }, 28_729],
    [{ $map: { input: [1], as: "X", in: 1 } }, 9],
    [{ $filter: { input: [1], cond: true, limit: 0 } }, 327_392],
    [{ $reduce: { input: 1, initialValue: 0, in: 1 } }, 40_080],
    [{ $add: ["$$nobody"] }, 17_276],
  ]);
});

describe("sets", () => {
  promise([
    [
      "a union has every value once",
      {
        $setUnion: [
          [2, 1],
          [1.0, 3],
        ],
      },
      ints(1, 2, 3),
    ],
    [
      "an intersection",
      {
        $setIntersection: [
          [1, 2, 3],
          [3, 1],
        ],
      },
      ints(1, 3),
    ],
    ["a difference", { $setDifference: [[1, 2, 2], [1]] }, ints(2)],
    [
      "equality whatever the order",
      {
        $setEquals: [
          [1, 2],
          [2, 1, 1],
        ],
      },
      true,
    ],
    ["a subset", { $setIsSubset: [[1], [2, 1]] }, true],
  ]);
  refuse([
    [{ $setEquals: [[1]] }, 17_045],
    [{ $setUnion: [1] }, 17_043],
  ]);
});

describe("documents", () => {
  promise([
    [
      "later fields win and keep the earlier place",
      { $mergeObjects: [{ a: 1, b: 2 }, { a: 3 }, null] },
      { a: new Int32(3), b: new Int32(2) },
    ],
    [
      "a document as pairs and back",
      { $arrayToObject: { $objectToArray: "$a" } },
      { x: new Int32(1) },
      { a: { x: 1 } },
    ],
    [
      "a field with a dot in its name is set and got",
      { $getField: { field: "a.b", input: { $setField: { field: "a.b", input: {}, value: 7 } } } },
      new Int32(7),
    ],
    ["a field with a dollar in its name", { $getField: { $literal: "$a" } }, new Int32(5), { $a: 5 }],
    ["a field is taken away", { $unsetField: { field: "a", input: "$$ROOT" } }, { b: new Int32(2) }, { a: 1, b: 2 }],
    ["what is nothing is left out of a document", { a: "$missing", b: 1 }, { b: new Int32(1) }],
    ["the bytes of a document", { $bsonSize: "$$ROOT" }, new Int32(5)],
  ]);
  refuse([
    [{ $mergeObjects: [1] }, 40_400],
    [{ $objectToArray: 1 }, 40_390],
    [{ $arrayToObject: { $literal: [["a"]] } }, 40_397],
    [{ "a.b": 1 }, 16_412],
    [{ $a: 1, $b: 2 }, 15_983],
  ]);
});

describe("conditions", () => {
  promise([
    ["a missing value is below null", { $lt: ["$missing", null] }, true],
    [
      "the first branch that holds",
      {
        $switch: {
          branches: [
            { case: false, then: 1 },
            { case: true, then: 2 },
          ],
        },
      },
      new Int32(2),
    ],
    ["the first that is not null", { $ifNull: ["$missing", null, 3] }, new Int32(3)],
    ["zero is false, and text is true", { $and: [{ $not: [0] }, "x"] }, true],
    [
      "variables do not see each other",
      { $let: { vars: { a: 1, b: "$a" }, in: ["$$a", "$$b"] } },
      ints(1, 9),
      { a: 9 },
    ],
  ]);
  refuse([
    [{ $switch: { branches: [] } }, 40_068],
    [{ $switch: { branches: [{ case: false, then: 1 }] } }, 40_066],
    [{ $cond: { if: true, then: 1 } }, 17_082],
    [{ $nothing: 1 }, 168],
    [{ $function: {} }, 238],
  ]);
});
