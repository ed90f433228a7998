import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Binary, BSON, type Document, Long, Timestamp } from "mongodb";
import { readLogEntry, UnknownEntry } from "./log-entry.ts";

const uuid = new Binary(Buffer.alloc(16, 7), 4);
const since = { seconds: 100, increment: 5, entryHash: new Uint8Array(32) };

/** `_id`s that an entry is said to change. */
function changedBy(entry: Document): unknown[] {
  const ids: unknown[] = [];
  readLogEntry(BSON.serialize({ ts: new Timestamp({ t: 101, i: 1 }), ...entry }), since, (collection, id) => {
    assert.deepEqual([...collection], [...uuid.buffer]);
    const length = Buffer.alloc(4);
    length.writeInt32LE(id.length + 5);
    ids.push(BSON.deserialize(Buffer.concat([length, id, Buffer.alloc(1)]))["_id"]);
  });
  return ids;
}

const opTime = (t: number, i: number): Document => ({ ts: new Timestamp({ t, i }), t: Long.fromNumber(1) });

describe("an entry of the operation log", () => {
  test("of a document names it, wherever its _id stands", () => {
    assert.deepEqual(changedBy({ op: "i", ns: "a.b", ui: uuid, o: { _id: 1, x: 2 }, o2: { _id: 1 } }), [1]);
    assert.deepEqual(changedBy({ op: "i", ns: "a.b", ui: uuid, o: { x: /a/i, _id: { a: 1 } } }), [{ a: 1 }]);
    assert.deepEqual(
      changedBy({ op: "u", ns: "a.b", ui: uuid, o: { $v: 2, diff: { u: { _id: 9 } } }, o2: { shard: 1, _id: "x" } }),
      ["x"],
    );
    assert.deepEqual(changedBy({ op: "d", ns: "a.b", ui: uuid, o: { shard: 3, _id: 4 } }), [4]);
  });

  test("of a transaction or a batch names all documents, nested too", () => {
    const inner = (id: number): Document => ({ op: "i", ns: "a.b", ui: uuid, o: { _id: id } });
    assert.deepEqual(
      changedBy({
        op: "c",
        ns: "admin.$cmd",
        o: {
          applyOps: [
            inner(1),
            { op: "d", ns: "a.b", ui: uuid, o: { _id: 2 } },
            { op: "c", ns: "a.$cmd", o: { create: "c" } },
            { op: "c", ns: "a.$cmd", o: { applyOps: [inner(3)] } },
          ],
        },
      }),
      [1, 2, 3],
    );
  });

  for (const o of [
    { create: "c", idIndex: {} },
    { drop: "c" },
    { dropDatabase: 1 },
    { renameCollection: "a.b", to: "a.c" },
    { collMod: "c" },
    { createIndexes: "c" },
    { startIndexBuild: "c" },
    { commitIndexBuild: "c" },
    { abortIndexBuild: "c" },
    { dropIndexes: "c" },
    { abortTransaction: 1 },
  ])
    test(`${Object.keys(o)[0]} changes no document of a collection that stays`, () => {
      assert.deepEqual(changedBy({ op: "c", ns: "a.$cmd", o }), []);
    });

  test("that says nothing changes nothing", () => {
    assert.deepEqual(changedBy({ op: "n", ns: "", o: { msg: "periodic noop" } }), []);
  });

  for (const [what, entry] of [
    ["an unknown operation", { op: "x", ns: "a.b", ui: uuid, o: { _id: 1 } }],
    ["no operation", { ns: "a.b", ui: uuid, o: { _id: 1 } }],
    ["a document of no collection", { op: "i", ns: "a.b", o: { _id: 1 } }],
    ["a UUID that is none", { op: "i", ns: "a.b", ui: new Binary(Buffer.alloc(15), 4), o: { _id: 1 } }],
    ["no _id", { op: "i", ns: "a.b", ui: uuid, o: { x: 1 } }],
    ["an update that does not say of what", { op: "u", ns: "a.b", ui: uuid, o: { _id: 1 } }],
    ["an unknown command", { op: "c", ns: "a.$cmd", o: { emptycapped: "b" } }],
    ["a command without a name", { op: "c", ns: "a.$cmd", o: {} }],
    ["applyOps that is no list", { op: "c", ns: "a.$cmd", o: { applyOps: 1 } }],
    ["applyOps with what is no operation", { op: "c", ns: "a.$cmd", o: { applyOps: [1] } }],
    [
      "an unknown command within applyOps",
      { op: "c", ns: "a.$cmd", o: { applyOps: [{ op: "c", o: { convertToCapped: "b" } }] } },
    ],
  ] as const)
    test(`with ${what} is not understood, so that everything is read`, () => {
      assert.throws(() => changedBy(entry), UnknownEntry);
    });

  test("that is no whole document is not taken for one", () => {
    const entry = BSON.serialize({ op: "i", ns: "a.b", ui: uuid, o: { _id: 1 } });
    for (let length = 0; length < entry.length; length += 1)
      assert.throws(() => readLogEntry(entry.subarray(0, length), since, () => undefined));
  });

  for (const [previous, isUnderstood] of [
    [opTime(100, 4), false],
    [opTime(100, 5), false],
    [opTime(100, 6), true],
    [opTime(101, 0), true],
    [opTime(0, 0), true],
  ] as const)
    for (const o of [{ applyOps: [{ op: "i", ns: "a.b", ui: uuid, o: { _id: 1 } }] }, { commitTransaction: 1 }])
      test(`${Object.keys(o)[0]} that goes on at ${String(previous["ts"])} is ${isUnderstood ? "" : "not "}enough, read from 100, 5`, () => {
        const entry = { op: "c", ns: "admin.$cmd", o, prevOpTime: previous };
        if (isUnderstood) changedBy(entry);
        else assert.throws(() => changedBy(entry), /a transaction that began before/);
      });
});
