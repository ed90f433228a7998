import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Decimal128, type Document, Int32, Long, serialize } from "bson";
import { documentValue } from "../../bson/value.ts";
import { compileFilter } from "../filter.ts";
import { compileSchema } from "./schema.ts";

const fits = (schema: Document, document: Document): boolean =>
  compileFilter(serialize({ $jsonSchema: schema })).matches(serialize(document));
const codeOf = (schema: unknown): unknown => {
  try {
    compileSchema(documentValue(serialize(schema as Document)));
    return 0;
  } catch (error) {
    return (error as { code: number }).code;
  }
};

/** Schema of the field `a`, what fits it, what does not. */
const cases: readonly (readonly [string, Document, readonly unknown[], readonly unknown[]])[] = [
  ["bsonType", { bsonType: "int" }, [1, new Int32(1)], [1.5, Long.fromNumber(1), "1", null]],
  ["bsonType of several", { bsonType: ["number", "null"] }, [1, 1.5, Decimal128.fromString("1"), null], ["1", true]],
  ["type", { type: "boolean" }, [true], [1, "true"]],
  ["enum", { enum: ["x", 1, { b: 1, c: 2 }] }, ["x", 1, Long.fromNumber(1), { c: 2, b: 1 }], ["X", 2, { b: 1 }]],
  ["minimum", { minimum: 5 }, [5, 5.1, "no number"], [4.9, -1]],
  ["an exclusive minimum", { minimum: 5, exclusiveMinimum: true }, [5.1], [5]],
  ["maximum", { maximum: 5 }, [5, -1], [5.1]],
  ["an exclusive maximum", { maximum: 5, exclusiveMaximum: true }, [4.9], [5]],
  ["multipleOf", { multipleOf: 0.1 }, [0.3, 1, Decimal128.fromString("0.2"), "x"], [0.35, Number.NaN]],
  ["minLength in characters", { minLength: 2 }, ["ab", "😀😀", 1], ["a", "😀"]],
  ["maxLength in characters", { maxLength: 1 }, ["a", "😀", ""], ["ab"]],
  ["pattern", { pattern: "^a+$" }, ["aa", 5], ["ab", ""]],
  ["minItems", { minItems: 2 }, [[1, 2], "x"], [[1], []]],
  ["maxItems", { maxItems: 1 }, [[1], []], [[1, 2]]],
  [
    "uniqueItems",
    { uniqueItems: true },
    [[1, 2], [], "x"],
    [
      [1, 1],
      [
        { b: 1, c: 1 },
        { c: 1, b: 1 },
      ],
    ],
  ],
  ["items for all", { items: { bsonType: "int" } }, [[1, 2], [], "x"], [[1, "x"]]],
  ["items for each place", { items: [{ bsonType: "int" }] }, [[1, "x"], []], [["x"]]],
  ["no additional items", { items: [{}], additionalItems: false }, [[1]], [[1, 2]]],
  ["additional items", { items: [{}], additionalItems: { bsonType: "int" } }, [["x", 1]], [["x", "y"]]],
  ["required", { required: ["b"] }, [{ b: null }, "no document", [1]], [{}, { c: 1 }]],
  ["properties", { properties: { b: { bsonType: "int" } } }, [{ b: 1 }, {}, "x"], [{ b: "x" }]],
  ["patternProperties", { patternProperties: { "^n": { bsonType: "int" } } }, [{ n1: 1, m: "x" }], [{ n1: "x" }]],
  [
    "no additional properties",
    { properties: { b: {} }, patternProperties: { "^n": {} }, additionalProperties: false },
    [{ b: 1, n: 1 }, {}],
    [{ c: 1 }],
  ],
  ["additional properties", { additionalProperties: { bsonType: "int" } }, [{ b: 1 }], [{ b: "x" }]],
  ["minProperties", { minProperties: 1 }, [{ b: 1 }, 5], [{}]],
  ["maxProperties", { maxProperties: 1 }, [{ b: 1 }, {}], [{ b: 1, c: 1 }]],
  ["dependencies by names", { dependencies: { b: ["c"] } }, [{ b: 1, c: 1 }, { c: 1 }, {}], [{ b: 1 }]],
  ["dependencies by schema", { dependencies: { b: { required: ["c"] } } }, [{ b: 1, c: 1 }, {}], [{ b: 1 }]],
  ["allOf", { allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3]],
  ["anyOf", { anyOf: [{ bsonType: "int" }, { bsonType: "string" }] }, [1, "x"], [true]],
  ["oneOf", { oneOf: [{ minimum: 2 }, { maximum: 3 }] }, [1, 4], [2, 3]],
  ["not", { not: { bsonType: "int" } }, ["x", 1.5], [1]],
  ["title and description", { title: "a field", description: "says nothing" }, [1, "x"], []],
];

describe("$jsonSchema", () => {
  for (const [name, schema, good, bad] of cases)
    test(name, () => {
      for (const a of good) assert.equal(fits({ properties: { a: schema } }, { a }), true, JSON.stringify(a));
      for (const a of bad) assert.equal(fits({ properties: { a: schema } }, { a }), false, JSON.stringify(a));
      assert.equal(fits({ properties: { a: schema } }, {}), true, "what is not there is held to nothing");
    });

  test("the document itself is an object, and stands beside other conditions", () => {
    assert.equal(fits({ bsonType: "object" }, {}), true);
    assert.equal(fits({ type: "string" }, {}), false);
    const filter = compileFilter(serialize({ $or: [{ $jsonSchema: { required: ["a"] } }, { b: 1 }] }));
    assert.deepEqual(
      [{ a: 1 }, { b: 1 }, { b: 2 }].map((document) => filter.matches(serialize(document))),
      [true, true, false],
    );
  });

  test("what is no schema, and what MongoDB leaves out of draft 4, is refused with its codes", () => {
    assert.deepEqual(
      [
        { nothing: 1 },
        { $ref: "x" },
        { format: "date" },
        { type: "integer" },
        { bsonType: "int", type: "number" },
        { enum: [] },
        { enum: [1, 1] },
        { required: [] },
        { required: ["a", "a"] },
        { exclusiveMinimum: true },
        { minLength: -1 },
        { minItems: 1.5 },
        { multipleOf: 0 },
        { allOf: [] },
      ].map(codeOf),
      Array.from({ length: 14 }, () => 9),
    );
    assert.deepEqual(
      [
        { minimum: "1" },
        { required: "a" },
        { properties: 1 },
        { properties: { a: 1 } },
        { items: 1 },
        { additionalProperties: 1 },
        { pattern: 1 },
        { title: 1 },
        { not: 1 },
        { uniqueItems: 1 },
        { dependencies: { a: 1 } },
      ].map(codeOf),
      Array.from({ length: 11 }, () => 14),
    );
  });
});
