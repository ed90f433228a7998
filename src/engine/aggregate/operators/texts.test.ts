import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, UUID } from "bson";
import { evaluated, promise, refuse } from "../../../../test/support/expressions.ts";

describe("texts", () => {
  promise([
    ["a part by bytes", { $substrBytes: ["éa", 2, 1] }, "a"],
    ["a part by code points", { $substrCP: ["a😀b", 1, 1] }, "😀"],
    [
      "lengths by bytes and by code points",
      [{ $strLenBytes: "😀" }, { $strLenCP: "😀" }],
      [new Int32(4), new Int32(1)],
    ],
    ["a place by code points", { $indexOfCP: ["a😀b", "b"] }, new Int32(2)],
    ["a place by bytes", { $indexOfBytes: ["éa", "a"] }, new Int32(2)],
    ["only ASCII has cases", { $toUpper: "aé" }, "Aé"],
    ["splitting", { $split: ["a-b-", "-"] }, ["a", "b", ""]],
    ["trimming by given characters", { $trim: { input: "xxaxx", chars: "x" } }, "a"],
    ["trimming of spaces", { $ltrim: { input: " \n a " } }, "a "],
    [
      "one place is replaced as it is written",
      { $replaceOne: { input: "a.a", find: ".", replacement: { $literal: "$&" } } },
      "a$&a",
    ],
    ["all places are", { $replaceAll: { input: "aba", find: "a", replacement: "x" } }, "xbx"],
    ["order without case", { $strcasecmp: ["abc", "ABD"] }, new Int32(-1)],
    ["nothing makes null", { $concat: ["a", "$missing"] }, null],
  ]);
  refuse([
    [{ $substrBytes: ["é", 1, 1] }, 28_656],
    [{ $strLenCP: "$missing" }, 34_471],
    [{ $split: ["a", ""] }, 40_087],
    [{ $concat: ["a", 1] }, 16_702],
  ]);
});

describe("patterns", () => {
  promise([
    [
      "a match tells its place in code points and its groups",
      { $regexFind: { input: "😀ab", regex: "(a)(x)?" } },
      { match: "a", idx: new Int32(1), captures: ["a", null] },
    ],
    [
      "all matches, one behind the other",
      { $map: { input: { $regexFindAll: { input: "aXa", regex: "A", options: "i" } }, in: "$$this.idx" } },
      [new Int32(0), new Int32(2)],
    ],
    ["an empty pattern ends", { $size: { $regexFindAll: { input: "abc", regex: "" } } }, new Int32(3)],
    ["a pattern with options of its own", { $regexMatch: { input: "ABC", regex: new BSONRegExp("b", "i") } }, true],
    ["nothing is not found", { $regexMatch: { input: null, regex: "a" } }, false],
  ]);
  refuse([
    [{ $regexMatch: { input: "a", regex: "(" } }, 51_091],
    [{ $regexMatch: { input: "a", regex: new BSONRegExp("a", "i"), options: "x" } }, 51_107],
    [{ $regexMatch: { input: 1, regex: "a" } }, 51_104],
  ]);

  test("a pattern that looks through the rest of a long text at every place is stopped", () => {
    const text = "a".repeat(50_000);
    assert.throws(() =>
      evaluated({ $size: { $regexFindAll: { input: "$t", regex: "a(?=(?:a|aa)*b)" } } }, { t: text }),
    );
  });
});

describe("conversions", () => {
  const uuid = "167dee52-c331-484e-92d1-c56479b8e670";
  promise([
    [
      "text to numbers of each type",
      [{ $toInt: "5" }, { $toLong: "-5" }, { $toDouble: "2.50" }, { $toDecimal: "2.50" }],
      [new Int32(5), Long.fromNumber(-5), new Double(2.5), Decimal128.fromString("2.50")],
    ],
    ["a double loses its fraction towards zero", { $toInt: -2.9 }, new Int32(-2)],
    [
      "numbers as text",
      [{ $toString: 1e21 }, { $toString: 0.1 }, { $toString: Decimal128.fromString("1E+3") }],
      ["1e+21", "0.1", "1E+3"],
    ],
    [
      "small doubles as text have an exponent below 1e-4",
      [{ $toString: 0.0001 }, { $toString: 0.000015 }, { $toString: 1e-7 }],
      ["0.0001", "1.5e-05", "1e-07"],
    ],
    ["a date as text and back", { $toDate: { $toString: new Date(1) } }, new Date(1)],
    [
      "an ObjectId as text and back",
      { $toObjectId: { $toString: new ObjectId("65920080ffffffffffffffff") } },
      new ObjectId("65920080ffffffffffffffff"),
    ],
    ["text is true", { $toBool: "false" }, true],
    ["what cannot be is what onError says", { $convert: { input: "x", to: "int", onError: 0 } }, new Int32(0)],
    ["nothing is what onNull says", { $convert: { input: null, to: "int", onNull: 0 } }, new Int32(0)],
    ["the type of nothing", { $type: "$missing" }, "missing"],
    [
      "a text as bytes",
      { $convert: { input: "SGVsbG8=", to: "binData", format: "base64" } },
      new Binary(Buffer.from("Hello")),
    ],
    [
      "of a subtype, without padding",
      { $convert: { input: "_-8", to: { type: "binData", subtype: 5 }, format: "base64url" } },
      new Binary(Buffer.from("ffef", "hex"), 5),
    ],
    [
      "bytes as text",
      { $convert: { input: new Binary(Buffer.from("4a6f", "hex")), to: "string", format: "hex" } },
      "4A6F",
    ],
    ["bytes as what they are", { $convert: { input: new UUID(uuid), to: "string", format: "auto" } }, uuid],
    ["a UUID of its text", { $toUUID: uuid }, new UUID(uuid)],
    ["no format is nothing", { $convert: { input: "ab", to: "binData", format: null } }, null],
    [
      "bytes that are no text are what onError says",
      { $convert: { input: new Binary(Buffer.from("ff", "hex")), to: "string", format: "utf8", onError: "none" } },
      "none",
    ],
  ]);
  refuse([
    [{ $toInt: "5.5" }, 241],
    [{ $toInt: 2_147_483_648 }, 241],
    [{ $toLong: 1e19 }, 241],
    [{ $toDate: 5 }, 241],
    [{ $toInt: "0x1" }, 241],
    [{ $convert: { input: 1, to: "nothing" } }, 2],
    [{ $convert: { input: "ab", to: "binData" } }, 241],
    [{ $convert: { input: "abc", to: "binData", format: "hex" } }, 241],
    [{ $convert: { input: "a", to: "binData", format: "base64" } }, 241],
    [{ $convert: { input: uuid, to: "binData", format: "uuid" } }, 241],
    [{ $convert: { input: "ab", to: { type: "binData", subtype: 10 }, format: "hex" } }, 9],
    [{ $convert: { input: "ab", to: { type: "binData", subtype: 127 }, format: "hex" } }, 9],
    [{ $convert: { input: "ab", to: "binData", format: "base32" } }, 9],
    [{ $convert: { input: 5, to: "binData", format: "hex" } }, 241],
    [{ $convert: { input: new UUID(uuid), to: { type: "binData", subtype: 0 } } }, 241],
    [{ $toUUID: "not one" }, 241],
  ]);
});
