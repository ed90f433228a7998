import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import fc from "fast-check";
import { EngineError } from "../engine-error.ts";
import { getField } from "../bson/walk.ts";
import { applyDifference } from "./apply-difference.ts";
import { differenceOf } from "./difference.ts";

const applied = (before: Document, diff: Document): string =>
  JSON.stringify(deserialize(applyDifference(serialize(before), serialize(diff))));

describe("a difference applied to a document", () => {
  test("deletes, changes in place, and puts at the end", () => {
    assert.equal(
      applied({ _id: 1, a: 1, b: 2, c: 3 }, { d: { a: false }, u: { c: "x" }, i: { z: 1, y: 2 } }),
      '{"_id":1,"b":2,"c":"x","z":1,"y":2}',
    );
    assert.equal(applied({ a: 1, b: 2 }, { i: { a: 5 } }), '{"b":2,"a":5}', "a field that comes anew moves");
  });

  test("goes into documents and arrays", () => {
    assert.equal(
      applied(
        { o: { p: { q: 1, r: 2 } }, list: [1, { a: 1 }, 3, 4] },
        {
          so: { sp: { u: { q: 9 } } },
          slist: { a: true, l: 3, u0: 7, s1: { i: { b: 2 } } },
        },
      ),
      '{"o":{"p":{"q":9,"r":2}},"list":[7,{"a":1,"b":2},3]}',
    );
    assert.equal(applied({ l: [1] }, { sl: { a: true, u3: 4 } }), '{"l":[1,null,null,4]}');
  });

  test("of any update is that update", () => {
    const documents = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e"), fc.oneof(fc.integer(), fc.string()), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(documents, documents, (one, other) => {
        const [before, after] = [serialize({ _id: 1, ...one }), serialize({ _id: 1, ...other, long: "x".repeat(200) })];
        const difference = differenceOf(before, after);
        if (difference === undefined) return;
        const diff = getField(difference, "diff")?.bytes() ?? new Uint8Array();
        assert.deepEqual(Buffer.from(applyDifference(before, diff)), Buffer.from(after));
      }),
    );
  });

  test("that is none, or is for something else, is refused", () => {
    for (const diff of [
      { x: 1 },
      { d: 1 },
      { sa: { u: { b: 1 } } },
      { sl: { a: true, x: 1 } },
      { sl: { a: true, u99999999: 1 } },
      { sl: { a: true, s5: {} } },
    ])
      assert.throws(
        () => applyDifference(serialize({ a: 1, l: [1] }), serialize(diff)),
        (error) => error instanceof EngineError && error.code === 9,
      );
  });
});
