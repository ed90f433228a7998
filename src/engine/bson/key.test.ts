import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from "bson";
import fc from "fast-check";
import { compareBytes } from "./bytes.ts";
import { compareValues } from "./compare.ts";
import { encodeKey, KeyWriter } from "./key.ts";
import type { Value } from "./value.ts";
import { getField } from "./walk.ts";

function valueOf(plain: unknown): Value {
  return getField(serialize({ v: plain }, { ignoreUndefined: false }), "v") as Value;
}

const number = fc.oneof(
  fc.integer().map((value) => new Int32(value | 0)),
  fc.double().map((value) => new Double(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }), fc.integer({ min: -6100, max: 6000 }))
    .map(([digits, exponent]) => Decimal128.fromString(`${digits}E${exponent}`)),
  fc.constantFrom(
    ...["0", "-0", "1", "1.0", "1E2", "100", "NaN", "Infinity", "-Infinity", "9007199254740993", "0.1"].map((text) =>
      Decimal128.fromString(text),
    ),
  ),
  fc.constantFrom(1, 2 ** 53, 0.1, -0, 100, Number.NaN, Number.POSITIVE_INFINITY).map((value) => new Double(value)),
  fc.constantFrom(2n ** 53n + 1n, 2n ** 53n, 100n, -1n).map((value) => Long.fromBigInt(value)),
);

const scalar = fc.oneof(
  number,
  fc.string(),
  fc.constantFrom("a", "a\0", "a\0b", "", "é", "\u{10000}", "\uffff"),
  fc.boolean(),
  fc.constant(null),
  fc.integer({ min: -8e12, max: 8e12 }).map((timeMs) => new Date(timeMs)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => new Binary(bytes)),
  fc.constant(new MinKey()),
  fc.constant(new MaxKey()),
  fc.integer({ min: 0 }).map((seconds) => new Timestamp({ t: seconds, i: 1 })),
);

const any = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("a", "b", "c"), scalar, { maxKeys: 3 }),
);

describe("keys", () => {
  test("bytes order as values compare, numbers of every type among each other", () => {
    fc.assert(
      fc.property(number, number, (one, other) => {
        const left = valueOf(one);
        const right = valueOf(other);
        assert.equal(Math.sign(compareBytes(encodeKey(left), encodeKey(right))), Math.sign(compareValues(left, right)));
      }),
      { numRuns: 3000 },
    );
  });

  test("bytes order is transitive and total over every kind of value", () => {
    fc.assert(
      fc.property(any, any, any, (...plain) => {
        const [first, second, third] = plain.map(valueOf).toSorted(compareValues) as [Value, Value, Value];
        assert.ok(compareBytes(encodeKey(first), encodeKey(second)) <= 0);
        assert.ok(compareBytes(encodeKey(second), encodeKey(third)) <= 0);
        assert.ok(compareBytes(encodeKey(first), encodeKey(third)) <= 0);
      }),
      { numRuns: 2000 },
    );
  });

  test("compound keys order field by field, descending ones the other way", () => {
    fc.assert(
      fc.property(
        fc.tuple(any, any),
        fc.tuple(any, any),
        fc.tuple(fc.boolean(), fc.boolean()),
        (one, other, turned) => {
          const [left, right] = [one.map(valueOf), other.map(valueOf)];
          const keyOf = (values: readonly Value[]): Uint8Array => {
            const writer = new KeyWriter();
            for (const [index, value] of values.entries()) writer.value(value, turned[index]);
            return writer.finish();
          };
          const orders = left.map(
            (value, index) =>
              Math.sign(compareValues(value, right[index] as Value)) * (turned[index] === true ? -1 : 1),
          );
          const expected = orders.find((order) => order !== 0) ?? 0;
          assert.equal(Math.sign(compareBytes(keyOf(left), keyOf(right))) + 0, expected + 0);
        },
      ),
      { numRuns: 2000 },
    );
  });

  const equal: readonly (readonly [string, unknown, unknown])[] = [
    ["int32 and double", new Int32(1), new Double(1)],
    ["int32 and int64", new Int32(1), Long.fromNumber(1)],
    ["double and decimal", new Double(1), Decimal128.fromString("1.00")],
    ["int64 beyond double and decimal", Long.fromBigInt(2n ** 53n + 1n), Decimal128.fromString("9007199254740993")],
    ["zero and negative zero", new Double(0), new Double(-0)],
    ["NaN and NaN", new Double(Number.NaN), Decimal128.fromString("NaN")],
  ];
  for (const [name, one, other] of equal) {
    test(`equal numbers of different types have the same key: ${name}`, () => {
      assert.deepEqual(encodeKey(valueOf(one)), encodeKey(valueOf(other)));
    });
  }

  const different: readonly (readonly [string, unknown, unknown])[] = [
    ["neighbours beyond the doubles", Long.fromBigInt(2n ** 53n), Long.fromBigInt(2n ** 53n + 1n)],
    ["the double 0.1 and the decimal 0.1", new Double(0.1), Decimal128.fromString("0.1")],
    ["documents of different field order", { a: 1, b: 2 }, { b: 2, a: 1 }],
    ["a string and its prefix", "a", "a\0"],
  ];
  for (const [name, one, other] of different) {
    test(`what differs has different keys: ${name}`, () => {
      assert.notDeepEqual(encodeKey(valueOf(one)), encodeKey(valueOf(other)));
    });
  }

  test("types come in the order of the manual", () => {
    const inOrder = [
      new MinKey(),
      null,
      5,
      "text",
      { a: 1 },
      [1],
      new Binary(Buffer.of(1)),
      new ObjectId(),
      false,
      new Date(),
      new Timestamp({ t: 1, i: 1 }),
      /a/,
      new MaxKey(),
    ];
    const keys = inOrder.map((plain) => encodeKey(valueOf(plain)));
    for (const [index, key] of keys.entries())
      if (index > 0) assert.ok(compareBytes(keys[index - 1] as Uint8Array, key) < 0);
  });
});
