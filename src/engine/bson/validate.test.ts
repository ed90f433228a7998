import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { buildDocument } from "./builder.ts";
import { EngineError } from "../engine-error.ts";
import { nestingDepthMax, validateDocument } from "./validate.ts";
import { documentValue, stringValue } from "./value.ts";

const codeOf = (code: number) => (error: unknown) => error instanceof EngineError && error.code === code;

function nested(depth: number): Uint8Array {
  let bytes = buildDocument([]);
  for (let level = 1; level < depth; level += 1) bytes = buildDocument([["a", documentValue(bytes)]]);
  return bytes;
}

describe("validation of documents", () => {
  test("the deepest document that is allowed passes, one level more does not", () => {
    validateDocument(nested(nestingDepthMax - 1));
    validateDocument(nested(nestingDepthMax));
    assert.throws(() => validateDocument(nested(nestingDepthMax + 1)), codeOf(15));
  });

  for (const length of [1, 63, 64, 65, 5000]) {
    test(`text of ${length} bytes that is not UTF-8 is refused, in values and in names`, () => {
      const good = buildDocument([["x", stringValue("a".repeat(length))]]);
      validateDocument(good);
      const bad = good.slice();
      bad[good.length - 3] = 0xe9;
      assert.throws(() => validateDocument(bad), codeOf(22));
      const name = buildDocument([["n".repeat(length), stringValue("")]]);
      name[5] = 0xff;
      assert.throws(() => validateDocument(name), codeOf(22));
    });
  }

  test("text of other languages passes", () => {
    validateDocument(buildDocument([["ключ", stringValue("値 😀 \0 é")]]));
  });
});
