import { describe, test } from "node:test";
import { Code, Decimal128, Double, Int32, Long, ObjectId, serialize, Timestamp } from "bson";
import assert from "node:assert/strict";
import { documentValue, int64Of, type Value } from "../../bson/value.ts";
import { getField } from "../../bson/walk.ts";
import { contextOf } from "../context.ts";
import { compileExpression } from "../expression.ts";
import { evaluated, promise } from "../../../../test/support/expressions.ts";

const hashed = (value: unknown): unknown => ({ $toHashedIndexKey: { $literal: value } });
const long = (text: string): Long => Long.fromString(text);

describe("keys of hashed indexes", () => {
  // The numbers are those of the server's own tests.
  promise([
    ["of a string", hashed("hashThisStringLiteral"), long("-5776344739422278694")],
    ["of a number", hashed(new Int32(123)), long("-6548868637522515075")],
    ["of another", hashed(new Int32(42)), long("-944302157085130861")],
    ["of a timestamp", hashed(new Timestamp({ t: 0, i: 0 })), long("-7867208682377458672")],
    ["of an ObjectId", hashed(new ObjectId("47cc67093475061e3d95369d")), long("1576265281381834298")],
    ["of a date", hashed(new Date(0)), long("-1178696894582842035")],
    ["of what is missing", { $toHashedIndexKey: "$missing" }, long("2338878944348059895")],
    ["of null", hashed(null), long("2338878944348059895")],
    ["of what an expression gives", { $toHashedIndexKey: { $pow: [2, 4] } }, long("2598032665634823220")],
  ]);

  test("of undefined, which drivers do not write any more", () => {
    const compiled = compileExpression(
      getField(serialize({ e: { $toHashedIndexKey: "$a" } }), "e") as Value,
      contextOf(new Map()),
    );
    const document = Uint8Array.of(8, 0, 0, 0, 0x06, 0x61, 0, 0);
    assert.equal(int64Of(compiled(documentValue(document)) as Value), 40_158_834_000_849_533n);
  });

  const same = (what: string, ...values: unknown[]): void =>
    void test(what, () => {
      const [first, ...others] = values.map((value) => evaluated(hashed(value)));
      for (const other of others) assert.equal(other, first);
    });
  same(
    "are one for numbers that are one without their fractions",
    new Int32(123),
    Long.fromNumber(123),
    new Double(123.9),
    Decimal128.fromString("123"),
    Decimal128.fromString("122.5000001"),
    Decimal128.fromString("123.49"),
  );
  same("round decimals to even", Decimal128.fromString("2.5"), new Int32(2), new Double(2.5));
  same(
    "hold numbers to 64 bits",
    Long.MAX_VALUE,
    new Double(2 ** 70),
    Decimal128.fromString("1E+50"),
    new Double(Infinity),
  );
  same("take a double of 2^63 for the least number", new Double(2 ** 63), Long.MIN_VALUE, new Double(-Infinity));
  same("take NaN for zero", new Double(Number.NaN), Decimal128.fromString("NaN"), new Int32(0));

  test("differ for documents, arrays and code whose parts differ in value, name or depth", () => {
    const values = [
      {},
      { a: 1 },
      { b: 1 },
      { a: 2 },
      { a: { a: 1 } },
      [],
      [1],
      [[1]],
      { 0: 1 },
      { a: {}, b: 1 },
      { a: { b: 1 } },
    ];
    const texts = [...values, new Code("a", {}), new Code("a", { b: 1 }), new Code("b", {})].map((value) =>
      evaluated(hashed(value)),
    );
    assert.equal(new Set(texts).size, texts.length);
  });
});
