import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, BSONRegExp, Decimal128, type Document, Double, Long, MaxKey, MinKey, ObjectId, serialize } from "bson";
import fc from "fast-check";
import { buildDocument, objectValue } from "../bson/builder.ts";
import { compareBytes } from "../bson/bytes.ts";
import { KeyWriter } from "../bson/key.ts";
import { undefinedValue } from "../bson/value.ts";
import { getField } from "../bson/walk.ts";
import { EngineError } from "../engine-error.ts";
import { compileFilter } from "./filter.ts";

const bytes = (plain: Document): Uint8Array => serialize(plain, { ignoreUndefined: false });
const matches = (filter: Document, document: Document): boolean =>
  compileFilter(bytes(filter)).matches(bytes(document));

/** Filter, what fits, what does not. */
const cases: readonly (readonly [string, Document, readonly Document[], readonly Document[]])[] = [
  [
    "numbers are equal by value",
    { a: 1 },
    [{ a: new Double(1) }, { a: Long.fromNumber(1) }, { a: Decimal128.fromString("1.0") }, { a: [1] }],
    [{ a: "1" }, { a: [[1]] }, { a: true }],
  ],
  [
    "int64 is compared exactly",
    { a: { $gt: new Double(2 ** 53) } },
    [{ a: Long.fromBigInt(2n ** 53n + 1n) }],
    [{ a: Long.fromBigInt(2n ** 53n) }],
  ],
  ["null fits missing", { a: null }, [{}, { a: null }, { a: [1, null] }], [{ a: 1 }, { a: [] }, { a: {} }]],
  [
    "null below a path needs a place for it",
    { "a.b": null },
    [{}, { a: 1 }, { a: {} }, { a: { b: null } }, { a: [{}] }, { a: [{ b: 1 }, {}] }],
    [{ a: [] }, { a: [1] }, { a: [[]] }, { a: { b: 1 } }, { a: [{ b: 1 }] }],
  ],
  ["$gte null is equality with null", { a: { $gte: null } }, [{}, { a: null }], [{ a: 0 }]],
  ["$ne looks at every element", { a: { $ne: 1 } }, [{}, { a: 2 }, { a: [2, 3] }], [{ a: 1 }, { a: [1, 2] }]],
  [
    "comparisons stay in their bracket",
    { a: { $lt: 5 } },
    [{ a: 4 }, { a: [9, 4] }],
    [{ a: "4" }, { a: null }, {}, { a: new Double(Number.NaN) }],
  ],
  ["NaN equals itself", { a: new Double(Number.NaN) }, [{ a: Decimal128.fromString("NaN") }], [{ a: 1 }]],
  ["$in takes patterns and null", { a: { $in: [/^x/, null, 3] } }, [{ a: "xy" }, {}, { a: 3 }], [{ a: "y" }, { a: 4 }]],
  [
    "a long $in finds by value",
    { a: { $in: Array.from({ length: 40 }, (_, n) => n) } },
    [{ a: new Double(39) }, { a: [50, 7] }],
    [{ a: 40 }, {}, { a: "1" }],
  ],
  ["$nin is not $in", { a: { $nin: [1, null] } }, [{ a: 2 }, { a: [] }], [{}, { a: [1] }, { a: null }]],
  ["$exists", { "a.b": { $exists: true } }, [{ a: { b: null } }, { a: [{}, { b: 1 }] }], [{ a: {} }, { a: [1] }]],
  [
    "$type by alias and number",
    { a: { $type: ["number", 2, "array"] } },
    [{ a: 1 }, { a: "" }, { a: [] }],
    [{ a: null }, { a: new ObjectId() }],
  ],
  ["$size counts", { a: { $size: 2 } }, [{ a: [1, 2] }], [{ a: [1] }, { a: 2 }, { a: [[1, 2]] }]],
  ["$all", { a: { $all: [1, 2] } }, [{ a: [2, 3, 1] }], [{ a: [1] }, { a: 1 }]],
  [
    "$all with $elemMatch",
    { a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { b: 2 } }] } },
    [{ a: [{ b: 1 }, { b: 2 }] }],
    [{ a: [{ b: 1 }] }],
  ],
  [
    "$elemMatch over values opens no further array",
    { a: { $elemMatch: { $gt: 1, $lt: 3 } } },
    [{ a: [5, 2] }],
    [{ a: [0, 5] }, { a: [[2]] }, { a: 2 }],
  ],
  [
    "$elemMatch over documents: one must meet all",
    { a: { $elemMatch: { b: 1, c: 2 } } },
    [{ a: [{ b: 1, c: 2 }] }],
    [{ a: [{ b: 1 }, { c: 2 }] }, { a: { b: 1, c: 2 } }],
  ],
  ["conditions side by side may be met by different elements", { a: { $gt: 5, $lt: 3 } }, [{ a: [1, 9] }], [{ a: 4 }]],
  [
    "a number in a path picks an element, whole",
    { "a.1": 2 },
    [{ a: [0, 2] }, { a: { 1: 2 } }],
    [{ a: [2, 0] }, { a: [0, [2]] }],
  ],
  [
    "$mod cuts fractions and keeps the sign",
    { a: { $mod: [4, -3] } },
    [{ a: -7 }, { a: new Double(-7.9) }],
    [{ a: 7 }, { a: "7" }, { a: new Double(Number.POSITIVE_INFINITY) }],
  ],
  [
    "$mod beyond 64 bits fits nothing",
    { a: { $mod: [3, 2] } },
    [{ a: 5 }],
    [{ a: Decimal128.fromString("9223372036854775808") }],
  ],
  [
    "$bitsAllSet over numbers and bytes",
    { a: { $bitsAllSet: [0, 9] } },
    [{ a: 0x201 }, { a: new Binary(Uint8Array.of(1, 2)) }],
    [{ a: 1 }, { a: new Double(1.5) }],
  ],
  ["bits of negative numbers go on without end", { a: { $bitsAllSet: [200] } }, [{ a: -1 }], [{ a: 1 }]],
  ["$not lets missing through", { a: { $not: { $gt: 5 } } }, [{}, { a: 3 }, { a: "x" }], [{ a: 6 }, { a: [1, 6] }]],
  ["$or and $nor", { $or: [{ a: 1 }, { b: 1 }], $nor: [{ c: 1 }] }, [{ a: 1 }, { b: 1 }], [{ a: 1, c: 1 }, {}]],
  [
    "documents are equal field by field in order",
    { a: { x: 1, y: 2 } },
    [{ a: { x: 1, y: 2 } }],
    [{ a: { y: 2, x: 1 } }, { a: { x: 1 } }],
  ],
  ["$eq of a pattern is that pattern", { a: { $eq: new BSONRegExp("x") } }, [{ a: new BSONRegExp("x") }], [{ a: "x" }]],
  [
    "everything lies between MinKey and MaxKey",
    { a: { $gt: new MinKey(), $lt: new MaxKey() } },
    [{ a: 1 }, { a: null }, { a: "x" }],
    [],
  ],
];

describe("filters", () => {
  for (const [name, filter, fitting, others] of cases) {
    test(name, () => {
      for (const document of fitting) assert.ok(matches(filter, document), `${JSON.stringify(document)} should fit`);
      for (const document of others)
        assert.ok(!matches(filter, document), `${JSON.stringify(document)} should not fit`);
    });
  }

  const refused: readonly (readonly [Document, number])[] = [
    [{ $alwaysTrue: 2 }, 9],
    [{ $where: "1" }, 238],
    [{ $text: { $search: "x" } }, 238],
    [{ a: { $near: [0, 0] } }, 238],
    [{ $fly: 1 }, 2],
    [{ a: { $fly: 1 } }, 2],
    [{ $and: [] }, 2],
    [{ $or: [1] }, 2],
    [{ a: { $in: 1 } }, 2],
    [{ a: { $in: [{ $gt: 1 }] } }, 2],
    [{ a: { $not: 1 } }, 2],
    [{ a: { $not: {} } }, 2],
    [{ a: { $size: -1 } }, 2],
    [{ a: { $mod: [0, 1] } }, 2],
    [{ a: { $mod: [1] } }, 2],
    [{ a: { $type: 99 } }, 2],
    [{ a: { $type: "constructor" } }, 2],
    [{ a: { $bitsAllSet: -1 } }, 2],
    [{ a: { $regex: "(" } }, 51_091],
    [{ a: { $options: "i" } }, 2],
    [{ a: { $elemMatch: { $expr: true } } }, 2],
  ];
  for (const [filter, code] of refused)
    test(`${JSON.stringify(filter)} is refused with ${code}`, () => {
      assert.throws(
        () => compileFilter(bytes(filter)),
        (error) => error instanceof EngineError && error.code === code,
      );
    });

  test("documents may hold undefined, queries must not ask for it", () => {
    const stored = buildDocument([["a", undefinedValue]]);
    assert.ok(compileFilter(bytes({ a: null })).matches(stored));
    for (const condition of [undefinedValue, objectValue([["$gt", undefinedValue]])])
      assert.throws(() => compileFilter(buildDocument([["a", condition]])), EngineError);
  });

  const positions: readonly (readonly [Document, Document, number | undefined])[] = [
    [{ a: { $gt: 1, $lt: 3 } }, { a: [1, 2, 3] }, 1],
    [{ a: 2 }, { a: [1, 2] }, 1],
    [{ "a.b": 2 }, { a: [{ b: 1 }, { b: [5, 2] }] }, 1],
    [{ a: { $elemMatch: { $gt: 1 } } }, { a: [1, 2, 3] }, 1],
    [{ b: 1, a: 2 }, { a: [1, 2], b: 1 }, 1],
    [{ $or: [{ a: 2 }, { b: 1 }] }, { a: [1, 2], b: 1 }, undefined],
    [{ $or: [{ a: 3 }, { a: 2 }] }, { a: [1, 2] }, 1],
    [{ a: { $ne: 5 } }, { a: [1, 2] }, undefined],
    [{ a: 9 }, { a: [1, 2] }, undefined],
  ];
  for (const [filter, document, position] of positions)
    test(`${JSON.stringify(filter)} meets ${JSON.stringify(document)} at ${position}`, () => {
      assert.equal(compileFilter(bytes(filter)).positionOf(bytes(document)), position);
    });

  test("what matches lies within the bounds that a planner is told", () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.double({ min: -3, max: 3 }),
      fc.constantFrom("", "a", "b", true, false, null),
      fc.constantFrom(Long.fromNumber(2), Decimal128.fromString("1.0"), new Date(0)),
    );
    const condition = fc.oneof(
      value,
      fc.record({ $in: fc.array(value, { maxLength: 3 }) }),
      fc.tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte", "$eq"), value).map(([name, one]) => ({ [name]: one })),
    );
    fc.assert(
      fc.property(condition, condition, value, (one, other, stored) => {
        const filter = compileFilter(bytes({ $and: [{ a: one }, { a: other }] }));
        const document = bytes({ a: stored });
        const field = getField(document, "a");
        if (field === undefined || !filter.matches(document)) return;
        const key = new KeyWriter().value(field).finish();
        for (const { intervals } of filter.conditions.byPath.get("a") ?? [])
          assert.ok(
            intervals.some(({ from, to }) => {
              const [below, above] = [compareBytes(from.bytes, key), compareBytes(key, to.bytes)];
              return (below < 0 || (below === 0 && from.inclusive)) && (above < 0 || (above === 0 && to.inclusive));
            }),
          );
      }),
      { numRuns: 3000 },
    );
  });
});
