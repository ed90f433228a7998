import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Decimal128, type Document, Double, Int32, Long, serialize } from "bson";
import fc from "fast-check";
import { validateDocument } from "../bson/validate.ts";
import { fieldsOf } from "../bson/walk.ts";
import { EngineError } from "../engine-error.ts";
import { compileFilter } from "../query/filter.ts";
import { compileUpdate } from "./update.ts";
import { documentFromFilter } from "./upsert.ts";

const bytes = (plain: Document): Uint8Array => serialize(plain, { ignoreUndefined: false });

interface Run {
  readonly filter?: Document;
  readonly arrayFilters?: readonly Document[];
  readonly inserting?: boolean;
}

function updated(document: Document, update: Document, run: Run = {}): Uint8Array {
  const compiled = compileUpdate(bytes(update), { arrayFilters: run.arrayFilters?.map(bytes) });
  return compiled(bytes(document), {
    filter: compileFilter(bytes(run.filter ?? {})),
    moment: { nowMs: 1_700_000_000_123 },
    inserting: run.inserting ?? false,
  });
}

const cases: readonly (readonly [string, Document, Document, Document, Run?])[] = [
  ["$set makes what is missing on the way", { _id: 1 }, { $set: { "a.b": 1 } }, { _id: 1, a: { b: 1 } }],
  [
    "$set past an array's end fills with null",
    { _id: 1, a: [1] },
    { $set: { "a.3": 2 } },
    { _id: 1, a: [1, null, null, 2] },
  ],
  [
    "$unset in an array leaves null",
    { _id: 1, a: [1, 2], b: 1 },
    { $unset: { "a.0": "", b: 1 } },
    { _id: 1, a: [null, 2] },
  ],
  [
    "$inc keeps types and grows int32 to int64",
    { _id: 1, a: new Int32(2_147_483_647), b: Long.fromNumber(1), c: new Double(1) },
    { $inc: { a: 1, b: 1, c: 1 } },
    { _id: 1, a: Long.fromNumber(2_147_483_648), b: Long.fromNumber(2), c: new Double(2) },
  ],
  [
    "$inc by a decimal makes a decimal",
    { _id: 1, a: 1 },
    { $inc: { a: Decimal128.fromString("0.1") } },
    { _id: 1, a: Decimal128.fromString("1.1") },
  ],
  [
    "$mul of a missing field is zero of the factor's type",
    { _id: 1 },
    { $mul: { a: Long.fromNumber(5) } },
    { _id: 1, a: Long.ZERO },
  ],
  [
    "$min and $max compare across types",
    { _id: 1, a: "x", b: "x" },
    { $min: { a: 5 }, $max: { b: 5 } },
    { _id: 1, a: 5, b: "x" },
  ],
  ["$rename moves", { _id: 1, a: 1, b: { c: 2 } }, { $rename: { "b.c": "d" } }, { _id: 1, a: 1, b: {}, d: 2 }],
  ["$setOnInsert does nothing to a document that is there", { _id: 1 }, { $setOnInsert: { a: 1 } }, { _id: 1 }],
  [
    "$currentDate writes the moment",
    { _id: 1 },
    { $currentDate: { a: true } },
    { _id: 1, a: new Date(1_700_000_000_123) },
  ],
  [
    "$push with position, sort and slice",
    { _id: 1, a: [3, 1] },
    { $push: { a: { $each: [2, 9], $position: 0, $sort: 1, $slice: -3 } } },
    { _id: 1, a: [2, 3, 9] },
  ],
  [
    "$push sorts by exact places, stable",
    { _id: 1, a: [{ k: [9] }, { k: [1] }, { j: 1 }] },
    { $push: { a: { $each: [], $sort: { "k.x": 1 } } } },
    { _id: 1, a: [{ k: [9] }, { k: [1] }, { j: 1 }] },
  ],
  [
    "$addToSet compares by value",
    { _id: 1, a: [1] },
    { $addToSet: { a: { $each: [new Double(1), 2, 2] } } },
    { _id: 1, a: [1, 2] },
  ],
  [
    "$pull by condition over documents and values",
    { _id: 1, a: [1, 5, 9], b: [{ x: 1, y: 1 }, { x: 2 }] },
    { $pull: { a: { $gte: 5 }, b: { x: 1 } } },
    { _id: 1, a: [1], b: [{ x: 2 }] },
  ],
  [
    "$pull by clauses over documents",
    { _id: 1, a: [{ x: 1 }, { x: 2 }, { y: 1 }, 5] },
    { $pull: { a: { $or: [{ x: 1 }, { y: 1 }] } } },
    { _id: 1, a: [{ x: 2 }, 5] },
  ],
  [
    "$pullAll and $pop",
    { _id: 1, a: [1, 2, 1], b: [1, 2, 3] },
    { $pullAll: { a: [1] }, $pop: { b: -1 } },
    { _id: 1, a: [2], b: [2, 3] },
  ],
  [
    "$bit",
    { _id: 1, a: new Int32(13) },
    { $bit: { a: { and: new Int32(10), or: Long.fromNumber(1) } } },
    { _id: 1, a: Long.fromNumber(9) },
  ],
  [
    "the positional $ follows the query",
    { _id: 1, a: [{ x: 1 }, { x: 2 }] },
    { $set: { "a.$.x": 9 } },
    { _id: 1, a: [{ x: 1 }, { x: 9 }] },
    { filter: { "a.x": 2 } },
  ],
  ["$[] means every element", { _id: 1, a: [1, 2] }, { $inc: { "a.$[]": 1 } }, { _id: 1, a: [2, 3] }],
  [
    "$[name] means those that its filter fits",
    {
      _id: 1,
      a: [
        { x: 1, b: [1, 2] },
        { x: 2, b: [1] },
      ],
    },
    { $set: { "a.$[i].b.$[j]": 0 } },
    {
      _id: 1,
      a: [
        { x: 1, b: [0, 2] },
        { x: 2, b: [1] },
      ],
    },
    { arrayFilters: [{ "i.x": 1 }, { j: { $lt: 2 } }] },
  ],
  ["a replacement keeps `_id` and its type", { _id: 1, a: 1 }, { b: 2, _id: new Double(1) }, { _id: 1, b: 2 }],
  ["a field beginning with $ may be made by an insert", {}, { $set: { $a: 1 } }, { $a: 1 }, { inserting: true }],
];

const refused: readonly (readonly [string, Document, Document, number, Run?])[] = [
  ["paths that meet", { _id: 1 }, { $set: { a: 1 }, $inc: { "a.b": 1 } }, 40],
  ["the same path twice", { _id: 1 }, { $set: { a: 1 }, $unset: { a: 1 } }, 40],
  [
    "places that meet through filters",
    { _id: 1, a: [1] },
    { $set: { "a.$[i]": 1, "a.0": 2 } },
    40,
    { arrayFilters: [{ i: 1 }] },
  ],
  ["a changed _id", { _id: 1 }, { $set: { _id: 2 } }, 66],
  ["a removed _id", { _id: 1 }, { $unset: { _id: 1 } }, 66],
  ["a replacement with another _id", { _id: 1 }, { _id: 2 }, 66],
  ["$inc by text", { _id: 1 }, { $inc: { a: "1" } }, 14],
  ["$inc of text", { _id: 1, a: "1" }, { $inc: { a: 1 } }, 14],
  ["$inc beyond 64 bits", { _id: 1, a: Long.MAX_VALUE }, { $inc: { a: 1 } }, 2],
  ["a field in a value that has none", { _id: 1, a: 1 }, { $set: { "a.b": 1 } }, 28],
  ["a name in an array", { _id: 1, a: [] }, { $set: { "a.b": 1 } }, 28],
  ["$push to what is no array", { _id: 1, a: 1 }, { $push: { a: 1 } }, 2],
  ["$pop of what is no array", { _id: 1, a: 1 }, { $pop: { a: 1 } }, 14],
  ["an unknown operator", { _id: 1 }, { $fly: { a: 1 } }, 9],
  ["operators and fields mixed", { _id: 1 }, { $set: { a: 1 }, b: 1 }, 9],
  ["fields and operators mixed", { _id: 1 }, { b: 1, $set: { a: 1 } }, 52],
  ["a field beginning with $", { _id: 1 }, { $set: { $a: 1 } }, 52],
  ["an empty name", { _id: 1 }, { $set: { "a..b": 1 } }, 56],
  ["$ without a match", { _id: 1, a: [1] }, { $set: { "a.$": 1 } }, 2],
  ["$[name] without a filter", { _id: 1, a: [1] }, { $set: { "a.$[i]": 1 } }, 2],
  ["a filter nobody uses", { _id: 1 }, { $set: { a: 1 } }, 9, { arrayFilters: [{ i: 1 }] }],
  ["$[] where there is no array", { _id: 1 }, { $set: { "a.$[]": 1 } }, 2],
  ["$rename through a value", { _id: 1, f: 1 }, { $rename: { "f.g": "a" } }, 28],
  ["$rename in an array", { _id: 1, f: [{ g: 1 }] }, { $rename: { "f.0.g": "a" } }, 2],
  ["an array as _id", {}, { $set: { _id: [1] } }, 53, { inserting: true }],
  [
    "a path deeper than documents can be",
    { _id: 1 },
    { $set: { [Array.from({ length: 181 }, () => "a").join(".")]: 1 } },
    15,
  ],
  [
    "values put deeper than documents can be",
    { _id: 1 },
    { $set: { [Array.from({ length: 180 }, () => "a").join(".")]: { b: 1 } } },
    15,
  ],
  ["more than 1,500,000 elements to fill", { _id: 1, a: [] }, { $set: { "a.1500001": 1 } }, 2],
];

describe("updates", () => {
  for (const [name, document, update, expected, run] of cases)
    test(name, () => {
      assert.deepEqual(Buffer.from(updated(document, update, run)), Buffer.from(bytes(expected)));
    });

  test("new fields come by name, numbers by value", () => {
    const names = [...fieldsOf(updated({ _id: 1 }, { $set: { c: 1, "10": 1, b: 1, "9": 1 } }))].map(({ name }) => name);
    assert.deepEqual(names, ["_id", "9", "10", "b", "c"]);
  });

  for (const [name, document, update, code, run] of refused)
    test(`${name} is refused with ${code}`, () => {
      assert.throws(
        () => updated(document, update, run),
        (error) => error instanceof EngineError && error.code === code,
      );
    });

  for (const update of [
    { $set: { a: 1 } },
    { $unset: { z: 1 } },
    { $inc: { a: 0 } },
    { $pull: { l: 9 } },
    { a: 1, l: [1] },
  ])
    test(`${JSON.stringify(update)} that changes nothing gives the same bytes back`, () => {
      const document = bytes({ _id: 1, a: 1, l: [1] });
      const run = { filter: compileFilter(bytes({})), moment: { nowMs: 0 }, inserting: false };
      assert.equal(compileUpdate(bytes(update))(document, run), document);
    });

  test("what an update does not name keeps every byte, duplicates and all", () => {
    const name = fc.constantFrom("a", "b", "1", "0", "10", "é");
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(fc.double(), fc.string(), fc.boolean())), (plain) => {
        const document = bytes({ _id: 1, ...plain });
        const after = updated({ _id: 1, ...plain }, { $set: { zz: 1 } });
        validateDocument(after);
        assert.deepEqual([...fieldsOf(after)].slice(0, -1).map(shown), [...fieldsOf(document)].map(shown));
      }),
    );
  });

  test("an upsert begins with the filter's equalities, `_id` first", () => {
    const base = documentFromFilter(
      bytes({ a: 1, $and: [{ "b.c": { $eq: 2 } }, { _id: 7 }], d: { $gt: 1 }, e: { $in: [5] } }),
    );
    assert.deepEqual(Buffer.from(base), Buffer.from(bytes({ _id: 7, a: 1, b: { c: 2 }, e: 5 })));
  });

  for (const filter of [{ a: 1, $and: [{ a: 2 }] }, { a: { $all: [1, 2] } }, { a: { b: 1 }, "a.c": 1 }])
    test(`an upsert by ${JSON.stringify(filter)} is refused with 54`, () => {
      assert.throws(
        () => documentFromFilter(bytes(filter)),
        (error) => error instanceof EngineError && error.code === 54,
      );
    });
});

function shown({ name, value }: { readonly name: string; readonly value: { bytes(): Uint8Array } }): string {
  return `${name}:${Buffer.from(value.bytes()).toString("hex")}`;
}
