import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, serialize } from "bson";
import { arraySizeOf, arrayValue, buildDocument, DocumentBuilder } from "./builder.ts";
import { int32Value, stringValue } from "./value.ts";

describe("building documents", () => {
  test("an array takes the bytes that were foreseen, however many digits its names have", () => {
    for (const length of [0, 1, 9, 10, 11, 99, 100, 101, 1001]) {
      const elements = Array.from({ length }, (_, index) => int32Value(index));
      const array = arrayValue(elements);
      assert.equal(arraySizeOf(elements), array.end - array.start, `${length} elements`);
      const expected = serialize({ a: Array.from({ length }, (_, index) => index) });
      assert.deepEqual(Buffer.from(buildDocument([["a", array]])), Buffer.from(expected));
    }
  });

  test("a size foreseen is kept to where it is right, and no harm where it is wrong", () => {
    const text = "x".repeat(5000);
    const right = serialize({ text }).length;
    for (const sizeBytes of [0, 100, right - 1, right, right + 1, right * 2]) {
      const document = new DocumentBuilder(sizeBytes).append("text", stringValue(text)).finish();
      assert.equal(document.length, right, `${sizeBytes} bytes foreseen`);
      assert.equal(document.buffer.byteLength, right, "no more is held than the document takes");
      assert.deepEqual(deserialize(document), { text });
    }
  });
});
