import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Document, serialize } from "bson";
import fc from "fast-check";
import { textBytes } from "../bson/bytes.ts";
import { int32Value } from "../bson/value.ts";
import { MutableDocument } from "../update/mutable.ts";
import { withChangedFields } from "./changed-fields.ts";

describe("changing fields of a document by copying the rest", () => {
  const names = ["a", "b", "c", "ab", ""];
  const values = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.constant({ a: [1] }), fc.boolean());
  const documents = fc.dictionary(fc.constantFrom(...names), values);
  const changes = fc.uniqueArray(fc.tuple(fc.constantFrom(...names), fc.option(fc.integer({ min: 0, max: 9 }))), {
    selector: ([name]) => name,
    maxLength: 4,
  });

  test("gives what opening the document, changing it and writing it again gives", () => {
    fc.assert(
      fc.property(documents, changes, (document: Document, wanted) => {
        const bytes = serialize(document);
        const opened = MutableDocument.of(bytes);
        for (const [name, value] of wanted) {
          if (value === null) opened.remove(name);
          else opened.set(name, int32Value(value));
        }
        const changed = withChangedFields(
          bytes,
          wanted.map(([name, value]) => ({
            name: textBytes(name),
            value: value === null ? undefined : int32Value(value),
          })),
        );
        assert.deepEqual(Buffer.from(changed), Buffer.from(opened.toBytes()));
      }),
    );
  });
});
