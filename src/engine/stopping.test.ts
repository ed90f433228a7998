import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import { type Engine, EngineError, openEngine } from "./index.ts";

const bytes = (document: Document): Uint8Array => serialize(document);
const never = new AbortController().signal;
const killed = new EngineError(11_601, "Interrupted", "operation was interrupted");
const long = Array.from({ length: 36_000 }, (_, index) => index);

/** Turns that an operation may have before it is killed; each operation below needs more. */
const turnsBefore = 3;

describe("an operation over one document that takes long", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-stopping-"));
  let engine: Engine;
  before(async () => {
    let nowMs = 0;
    // Whenever it is asked, a stretch of work has lasted long enough.
    const clock = { nowMs: () => 0, monotonicMs: () => (nowMs += 10) };
    engine = await openEngine({ path: join(folder, "data.sqlite"), clock, randomBytes });
    const documents = [{ _id: 1, list: long, documents: long.map((n) => ({ n })), text: "x" }];
    await insert("large", documents);
    await insert("indexed", [{ _id: 1 }, { _id: 2, list: long }]);
    await index("indexed", "list");
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  const on = (collection: string) => ({ database: "test", collection });
  const write = (signal: AbortSignal) => ({ signal, durable: false });
  const insert = (collection: string, documents: readonly Document[], signal = never): Promise<unknown> =>
    engine.insert(on(collection), documents.map(bytes), true, write(signal));
  const index = (collection: string, field: string, signal = never): Promise<unknown> =>
    engine.createIndexes(on(collection), [bytes({ v: 2, key: { [field]: 1 }, name: field })], write(signal));

  const pipeline =
    (...stages: readonly Document[]) =>
    async (signal: AbortSignal): Promise<unknown> => {
      const query = { pipeline: stages.map(bytes), write: write(signal) };
      const cursor = await engine.aggregate("test", "large", query, { signal });
      return cursor.next({ maxDocuments: 1_000_000, maxBytes: 2 ** 30 }, signal);
    };
  const expression = (value: Document) => pipeline({ $project: { size: { $size: [value] } } });
  const find =
    (filter: Document, rest: Document = {}) =>
    async (signal: AbortSignal): Promise<unknown> => {
      const more = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, bytes(value as Document)]));
      const cursor = await engine.find(on("large"), { filter: bytes(filter), ...more }, { signal });
      return cursor.next({ maxDocuments: 10, maxBytes: 2 ** 30 }, signal);
    };
  const update =
    (change: Document, rest: Document = {}, filter: Document = {}) =>
    (signal: AbortSignal) =>
      engine.update(
        on("large"),
        [
          {
            filter: bytes(filter),
            update: Array.isArray(change) ? (change as Document[]).map(bytes) : bytes(change),
            multi: false,
            upsert: false,
            arrayFilters: ((rest["arrayFilters"] ?? []) as Document[]).map(bytes),
          },
        ],
        true,
        write(signal),
      );
  const list = "$list";
  const half = { $filter: { input: list, cond: { $gt: ["$$this", 18_000] } } };

  const operations: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
    $map: expression({ $map: { input: list, in: { $add: ["$$this", 1] } } }),
    $filter: expression(half),
    $reduce: expression({ $range: [0, { $reduce: { input: list, initialValue: 0, in: "$$this" } }] }),
    "$concat in $reduce": expression({
      $split: [{ $reduce: { input: list, initialValue: "", in: { $concat: ["$$value", "x"] } } }, "y"],
    }),
    "loops in loops": expression({
      $map: {
        input: { $slice: [list, 300] },
        in: { $size: { $filter: { input: { $slice: [list, 300] }, cond: "$$this" } } },
      },
    }),
    "steps that each look at a whole list": expression({
      $map: { input: { $slice: [list, 2000] }, in: { $size: list } },
    }),
    "$in of many": find({ "documents.n": { $in: Array.from({ length: 300_000 }, (_, n) => -1 - n) } }),
    $range: expression({ $range: [0, 500_000] }),
    $zip: expression({ $zip: { inputs: [list, list] } }),
    $setUnion: expression({ $setUnion: [list, [1]] }),
    $setIntersection: expression({ $setIntersection: [list, list] }),
    $sortArray: expression({ $sortArray: { input: list, sortBy: -1 } }),
    "$sortArray by a field": expression({ $sortArray: { input: "$documents", sortBy: { n: -1 } } }),
    $in: expression({ $cond: [{ $in: [-1, list] }, [], []] }),
    $indexOfArray: expression({ $range: [0, { $add: [2, { $indexOfArray: [list, -1] }] }] }),
    "a loop in $group": pipeline({ $group: { _id: { $sum: half }, n: { $sum: { $size: half } } } }),
    "a loop in $facet": pipeline({ $facet: { one: [{ $project: { n: { $size: half } } }] } }),
    "a loop in $lookup": pipeline({ $lookup: { from: "large", let: { n: half }, pipeline: [], as: "joined" } }),
    "a loop in $redact": pipeline({ $redact: { $cond: [{ $size: half }, "$$KEEP", "$$PRUNE"] } }),
    "a loop in $match": pipeline({ $match: { $expr: { $gt: [{ $size: half }, 1] } } }),
    "a loop in $bucketAuto": pipeline({ $bucketAuto: { groupBy: { $size: half }, buckets: 2 } }),
    "a loop in $setWindowFields": pipeline({
      $setWindowFields: { partitionBy: { $size: half }, output: { n: { $sum: 1 } } },
    }),
    "a loop in $sort": pipeline({ $sort: { "documents.n": 1 } }),
    "$unwind of many": pipeline({ $project: { list: 1 } }, { $unwind: list }, { $match: { list: -1 } }),
    "$documents of many": async (signal) => {
      const made = { $map: { input: { $range: [0, 36_000] }, in: { n: "$$this" } } };
      const query = { pipeline: [{ $documents: made }, { $match: { n: -1 } }].map(bytes) };
      const cursor = await engine.aggregate("test", undefined, query, { signal });
      return cursor.next({ maxDocuments: 10, maxBytes: 2 ** 30 }, signal);
    },
    "a predicate over elements": find({ list: { $lt: 0 } }),
    "a predicate over documents": find({ "documents.n": -1 }),
    $elemMatch: find({ documents: { $elemMatch: { n: { $lt: 0 } } } }),
    $all: find({ list: { $all: [35_999, -1] } }),
    "$in with a long list": find({ list: { $in: long.map((n) => -1 - n) } }),
    "many conditions": find({ $or: long.map((n) => ({ [`a${n % 10}`]: n })) }),
    "a projection": find({}, { projection: { n: half } }),
    "$elemMatch in a projection": find({}, { projection: { list: { $elemMatch: { $lt: 0 } } } }),
    "values under let": find({}, { variables: { n: { $size: { $range: [0, 2_000_000] } } } }),
    "a position": update({ $set: { "list.$": 1 } }, {}, { list: 35_999 }),
    "$push with $sort": update({ $push: { list: { $each: [1], $sort: -1 } } }),
    $pull: update({ $pull: { documents: { n: { $lt: 0 } } } }),
    $pullAll: update({ $pullAll: { list: [-1] } }),
    $addToSet: update({ $addToSet: { list: -1 } }),
    arrayFilters: update({ $set: { "documents.$[one].n": 0 } }, { arrayFilters: [{ "one.n": { $gt: 5 } }] }),
    "an update of all elements": update({ $inc: { "list.$[]": 1 } }),
    "an update by a pipeline": update([{ $set: { list: half } }] as unknown as Document),
    count: (signal) => engine.count(on("large"), { filter: bytes({ "documents.n": -1 }) }, { signal }),
    distinct: (signal) => engine.distinct(on("large"), { key: "list", filter: bytes({}) }, { signal }),
    validate: (signal) => engine.validate(on("indexed"), { signal }),
    "an index": (signal) => index("large", "list", signal),
    "a document with many keys": (signal) => insert("indexed", [{ _id: 3, list: long }], signal),
    "a document whose many keys go": (signal) =>
      engine.delete(on("indexed"), [{ filter: bytes({ _id: 2 }), justOne: true }], true, write(signal)),
    explain: (signal) =>
      engine.explain(on("large"), { filter: bytes({ "documents.n": -1 }), execute: true, allPlans: false }, { signal }),
  };
  for (const [name, run] of Object.entries(operations))
    test(`${name}: it is stopped in the middle`, async () => {
      const controller = new AbortController();
      const turn = (left: number): unknown =>
        setImmediate(() => (left === 0 ? controller.abort(killed) : turn(left - 1)));
      turn(turnsBefore);
      await assert.rejects(run(controller.signal), (error) => error === killed);
    });

  test("each of them comes to its end when nobody stops it", async () => {
    for (const [name, run] of Object.entries(operations)) await assert.doesNotReject(run(never), name);
  });

  test("what it comes to is the same as if it had not been left", async () => {
    const first = async (value: Document): Promise<unknown> => {
      const stages = [{ $match: { _id: 1 } }, { $project: { _id: 0, value } }].map(bytes);
      const cursor = await engine.aggregate("test", "same", { pipeline: stages }, { signal: never });
      const [found] = await cursor.next({ maxDocuments: 1, maxBytes: 2 ** 30 }, never);
      return deserialize(found as Uint8Array)["value"];
    };
    const change = async (u: Document, filter: Document, arrayFilters: Document[] = []): Promise<void> => {
      const statement = { filter: bytes(filter), update: bytes(u), multi: false, upsert: false };
      await engine.update(on("same"), [{ ...statement, arrayFilters: arrayFilters.map(bytes) }], true, write(never));
    };
    await insert("same", [{ _id: 1, list: long, documents: long.map((n) => ({ n })) }]);
    const sum = long.reduce((total, n) => total + n, 0);
    assert.deepEqual(
      await first({ $map: { input: list, in: { $add: ["$$this", 1] } } }),
      long.map((n) => n + 1),
    );
    assert.deepEqual(
      await first(half),
      long.filter((n) => n > 18_000),
    );
    const total = { $reduce: { input: list, initialValue: 0, in: { $add: ["$$value", "$$this"] } } };
    assert.equal(
      await first({ $add: [total, { $sum: half }, total] }),
      sum * 2 + long.slice(18_001).reduce((a, b) => a + b),
    );
    assert.deepEqual(await first({ $slice: [{ $zip: { inputs: [list, "$documents.n"] } }, -1] }), [[35_999, 35_999]]);
    assert.deepEqual(await first({ $setUnion: [{ $reverseArray: list }, [-1]] }), [-1, ...long]);
    assert.deepEqual(await first({ $sortArray: { input: list, sortBy: -1 } }), long.toReversed());
    assert.equal(await first({ $indexOfArray: [list, 35_000] }), 35_000);
    assert.deepEqual(await first({ $cond: [{ $eq: [{ $rand: {} }, -1] }, 1, { $size: half }] }), 17_999);
    await change({ $set: { "documents.$.n": -5 } }, { "documents.n": { $gte: 35_998 } });
    assert.deepEqual(await first({ $slice: ["$documents.n", -2] }), [-5, 35_999]);
    await change({ $inc: { "documents.$[one].n": 1 } }, {}, [{ "one.n": { $gt: 35_000 } }]);
    assert.deepEqual(await first({ $slice: ["$documents.n", 35_000, 2] }), [35_000, 35_002]);
    await change({ $push: { list: { $each: [-7, 99_999], $sort: -1 } } }, {});
    assert.deepEqual(await first({ $concatArrays: [list] }), [99_999, ...long.toReversed(), -7]);
    await change({ $pull: { list: { $lt: 35_990 } } }, {});
    assert.deepEqual(await first({ $concatArrays: [list] }), [99_999, ...long.slice(35_990).toReversed()]);
  });
});
