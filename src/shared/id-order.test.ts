import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, BSONSymbol, Code, Decimal128, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp, UUID } from "bson";
import { compareIds } from "./id-order.ts";

/** As the chunker keeps it: type, name and value of `_id`, cut at 64 bytes. */
const firstId = (id: unknown): Uint8Array => serialize({ _id: id }).slice(4, -1).slice(0, 64);

describe("the order of first ids", () => {
  test("is MongoDB's: numbers by value whatever their type, then strings, documents by field, binary by length, ObjectIds, booleans, dates, timestamps", () => {
    const ascending = [
      new MinKey(),
      null,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      Long.fromString("-9007199254740993"),
      -1.5,
      -1,
      0,
      0.5,
      Long.fromNumber(1),
      2,
      Long.fromString("9007199254740993"),
      Long.fromString("9007199254740995"),
      "",
      "a",
      "aa",
      "b",
      "é",
      {},
      { b: 1 },
      { b: 1, a: 1 },
      { b: 2 },
      { c: 1 },
      { a: "" },
      { a: { b: 1 } },
      { a: { b: 1, c: null } },
      { a: true },
      new Binary(Uint8Array.of(9)),
      new Binary(Uint8Array.of(1, 2)),
      new UUID("00000000-0000-4000-8000-000000000001"),
      new UUID("00000000-0000-4000-8000-000000000002"),
      new ObjectId("000000000000000000000001"),
      new ObjectId("ff0000000000000000000000"),
      false,
      true,
      new Date(-1),
      new Date(0),
      new Date(2 ** 40),
      new Timestamp({ t: 1, i: 1 }),
      new Timestamp({ t: 4_294_967_295, i: 1 }),
      new MaxKey(),
    ];
    for (let one = 0; one < ascending.length; one += 1)
      for (let other = 0; other < ascending.length; other += 1)
        assert.equal(
          Math.sign(compareIds(firstId(ascending[one]), firstId(ascending[other])) ?? Number.NaN),
          Math.sign(one - other),
          `${String(ascending[one])} and ${String(ascending[other])}`,
        );
  });

  test("is not known for other types, bytes cut short and what is no _id", () => {
    const number = firstId(1);
    for (const unknown of [
      firstId(Decimal128.fromString("1")),
      firstId(new BSONSymbol("a")),
      firstId(new Code("a")),
      firstId({ a: Decimal128.fromString("1") }),
      firstId({ a: "x".repeat(100) }),
      number.subarray(0, 8),
      serialize({ other: 1 }).slice(4, -1),
      new Uint8Array(0),
    ]) {
      assert.equal(compareIds(unknown, number), undefined);
      assert.equal(compareIds(number, unknown), undefined);
    }
  });

  test("strings that are the same as far as they are kept count as the same", () => {
    assert.equal(compareIds(firstId(`${"x".repeat(100)}a`), firstId(`${"x".repeat(100)}b`)), 0);
  });
});
