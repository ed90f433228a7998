import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { arrayValue, buildDocument, DocumentBuilder } from "../../src/engine/bson/builder.ts";
import { compareValues } from "../../src/engine/bson/compare.ts";
import { bsonType } from "../../src/engine/bson/types.ts";
import { validateDocument } from "../../src/engine/bson/validate.ts";
import { documentValue, type Value } from "../../src/engine/bson/value.ts";
import { elementsOf, fieldCount, fieldsOf, getField } from "../../src/engine/bson/walk.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { corpusFiles, corpusMissing } from "../support/bson-corpus.ts";
import { MutableDocument } from "../../src/engine/update/mutable.ts";

const skip = corpusMissing;
const files = corpusFiles;

/** Walked to the last value, and put together again from what was met. */
function rebuilt(document: Uint8Array): Uint8Array {
  const builder = new DocumentBuilder();
  for (const { name, value } of fieldsOf(document)) builder.append(name, rebuiltValue(value));
  return builder.finish();
}

function rebuiltValue(value: Value): Value {
  if (value.type === bsonType.object) return documentValue(rebuilt(value.bytes()));
  if (value.type !== bsonType.array) return value;
  assert.equal(elementsOf(value).length, fieldCount(value));
  return arrayValue(elementsOf(value).map(rebuiltValue));
}

describe("the BSON corpus", () => {
  test("every valid document passes, is walked, and comes back byte for byte", { skip }, () => {
    let count = 0;
    for (const file of files) {
      for (const one of file.valid ?? []) {
        const bytes = new Uint8Array(Buffer.from(one.canonical_bson, "hex"));
        validateDocument(bytes);
        assert.deepEqual(rebuilt(bytes), bytes, `${file.description}: ${one.description}`);
        assert.deepEqual(MutableDocument.of(bytes).toBytes(), bytes, `${file.description}: ${one.description}`);
        for (const { name, value } of fieldsOf(bytes)) {
          assert.equal(compareValues(value, getField(buildDocument([[name, value]]), name) as Value), 0);
        }
        count += 1;
      }
    }
    assert.ok(count > 700, `only ${count} documents were read`);
  });

  test("every document that must not be decoded is refused", { skip }, () => {
    let count = 0;
    for (const file of files) {
      for (const one of file.decodeErrors ?? []) {
        const bytes = new Uint8Array(Buffer.from(one.bson, "hex"));
        assert.throws(() => validateDocument(bytes), EngineError, `${file.description}: ${one.description}`);
        count += 1;
      }
    }
    assert.ok(count > 70, `only ${count} documents were read`);
  });

  test("no valid document cut short or with a byte changed does anything but pass or be refused", { skip }, () => {
    for (const file of files) {
      for (const one of file.valid ?? []) {
        const bytes = new Uint8Array(Buffer.from(one.canonical_bson, "hex"));
        for (let position = 0; position < Math.min(bytes.length, 60); position += 1) {
          const damaged = bytes.slice();
          damaged[position] = (damaged[position] as number) ^ 0xff;
          for (const input of [damaged, bytes.slice(0, position)]) {
            try {
              validateDocument(input);
              rebuilt(input);
            } catch (error) {
              assert.ok(error instanceof EngineError, String(error));
            }
          }
        }
      }
    }
  });
});
