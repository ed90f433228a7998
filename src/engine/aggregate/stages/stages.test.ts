import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Decimal128, deserialize, type Document, Double, Long, serialize } from "bson";
import { EmbeddedEngine } from "../../embedded-engine.ts";
import type { DiskUse } from "../../engine.ts";
import { type Engine, EngineError } from "../../index.ts";

const signal = new AbortController().signal;
const write = { signal, durable: false };
const bytes = (document: Document): Uint8Array => serialize(document, { ignoreUndefined: false });

describe("stages", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-stages-"));
  let engine: Engine;
  let nextCollection = 0;
  before(() => {
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    engine = new EmbeddedEngine({ path: join(folder, "data.sqlite"), clock, randomBytes });
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  async function stored(documents: readonly Document[]): Promise<string> {
    nextCollection += 1;
    const collection = `c${nextCollection}`;
    await engine.insert({ database: "test", collection }, documents.map(bytes), true, write);
    return collection;
  }
  const piped = (collection: string, ...pipeline: readonly Document[]): Promise<Document[]> =>
    pipedWith({}, collection, ...pipeline);
  async function pipedWith(
    options: DiskUse,
    collection: string,
    ...pipeline: readonly Document[]
  ): Promise<Document[]> {
    const query = { pipeline: pipeline.map(bytes), write, ...options };
    const cursor = await engine.aggregate("test", collection, query, { signal });
    const found: Document[] = [];
    while (!cursor.exhausted)
      for (const document of await cursor.next({ maxDocuments: 1000, maxBytes: 2 ** 30 }, signal))
        found.push(deserialize(document));
    return found;
  }
  /** What a pipeline gives over some documents. */
  const run = async (documents: readonly Document[], ...pipeline: readonly Document[]): Promise<Document[]> =>
    piped(await stored(documents), ...pipeline);
  const refused =
    (code: number) =>
    (error: unknown): boolean =>
      error instanceof EngineError && error.code === code;

  const sales = [
    { _id: 1, shop: "a", day: 1, sold: 10 },
    { _id: 2, shop: "a", day: 2, sold: 20 },
    { _id: 3, shop: "a", day: 4, sold: 40 },
    { _id: 4, shop: "b", day: 1, sold: 5 },
  ];

  test("unwinding counts from zero, and keeps what is empty only when asked to", async () => {
    const documents = [{ _id: 1, a: [5, 6] }, { _id: 2, a: [] }, { _id: 3 }, { _id: 4, a: 7 }];
    assert.deepEqual(await run(documents, { $unwind: "$a" }), [
      { _id: 1, a: 5 },
      { _id: 1, a: 6 },
      { _id: 4, a: 7 },
    ]);
    const options = { path: "$a", preserveNullAndEmptyArrays: true, includeArrayIndex: "i" };
    assert.deepEqual(await run(documents, { $unwind: options }), [
      { _id: 1, a: 5, i: 0 },
      { _id: 1, a: 6, i: 1 },
      { _id: 2, i: null },
      { _id: 3, i: null },
      { _id: 4, a: 7, i: null },
    ]);
    await assert.rejects(run([], { $unwind: "a" }), refused(28_818));
    await assert.rejects(run([], { $unwind: { path: "$a", includeArrayIndex: "$i" } }), refused(28_822));
  });

  test("equal numbers of other types are one group, and groups come in the order they began", async () => {
    const documents = [
      { k: "x" },
      { k: 1 },
      { k: new Double(1) },
      { k: Decimal128.fromString("1.00") },
      { k: null },
      {},
    ];
    const groups = await run(documents, { $group: { _id: "$k", n: { $count: {} } } });
    assert.deepEqual(groups, [
      { _id: "x", n: 1 },
      { _id: 1, n: 3 },
      { _id: null, n: 2 },
    ]);
    const beside = [1, Decimal128.fromString("1.00000000000000000001"), Long.fromString("9007199254740993"), 2 ** 53];
    const apart = await run(
      beside.map((k) => ({ k })),
      { $group: { _id: "$k" } },
    );
    assert.equal(apart.length, 4, "what differs beyond the digits of a double is not equal");
    await assert.rejects(run([], { $group: { _id: 1, x: { $nothing: 1 } } }), refused(15_952));
    await assert.rejects(run([], { $group: { _id: 1, x: { $sum: ["$a"] } } }), refused(40_237));
    await assert.rejects(run([], { $group: { x: { $sum: 1 } } }), refused(15_955));
  });

  test("accumulators of an order take its first and last", async () => {
    const top = { output: "$sold", sortBy: { sold: -1 } };
    const [group] = await run(sales, {
      $group: {
        _id: null,
        top: { $top: top },
        two: { $bottomN: { ...top, n: 2 } },
        last: { $lastN: { input: "$day", n: 2 } },
      },
    });
    assert.deepEqual(group, { _id: null, top: 40, two: [10, 5], last: [4, 1] });
  });

  test("of equal keys those are at the top or the bottom that came first", async () => {
    const equal = { output: "$_id", sortBy: { even: 1 } };
    const [group] = await run(
      [1, 2, 3].map((_id) => ({ _id, even: 0 })),
      {
        $group: { _id: null, top: { $top: equal }, bottom: { $bottom: equal }, two: { $topN: { ...equal, n: 2 } } },
      },
    );
    assert.deepEqual(group, { _id: null, top: 1, bottom: 1, two: [1, 2] });
  });

  test("buckets have their lower border inside and their upper outside, what fits nowhere is an error without a default", async () => {
    const stage = { groupBy: "$sold", boundaries: [0, 10, 40] };
    assert.deepEqual(await run(sales, { $bucket: { ...stage, default: "more" } }), [
      { _id: 0, count: 1 },
      { _id: 10, count: 2 },
      { _id: "more", count: 1 },
    ]);
    await assert.rejects(run(sales, { $bucket: stage }), refused(40_066));
    await assert.rejects(run(sales, { $bucket: { ...stage, boundaries: [1, 0] } }), refused(40_194));
  });

  test("buckets of about the same size keep equal values together, and end for a granularity of any numbers", async () => {
    const documents = [1, 1, 1, 2, 3].map((v, _id) => ({ _id, v }));
    assert.deepEqual(await run(documents, { $bucketAuto: { groupBy: "$v", buckets: 2 } }), [
      { _id: { min: 1, max: 2 }, count: 3 },
      { _id: { min: 2, max: 3 }, count: 2 },
    ]);
    const powers = await run(documents, { $bucketAuto: { groupBy: "$v", buckets: 2, granularity: "POWERSOF2" } });
    assert.deepEqual(powers, [
      { _id: { min: 0.5, max: 2 }, count: 3 },
      { _id: { min: 2, max: 4 }, count: 2 },
    ]);
    for (const v of [0, 1e308, Number.POSITIVE_INFINITY])
      await run([{ v }], { $bucketAuto: { groupBy: "$v", buckets: 3, granularity: "E6" } });
    await assert.rejects(
      run([{ v: -1 }], { $bucketAuto: { groupBy: "$v", buckets: 1, granularity: "R5" } }),
      refused(40_260),
    );
  });

  test("joins take paths into DBRefs, and no other names with a dollar", async () => {
    const shops = await stored([{ _id: "a" }, { _id: "b" }]);
    const sold = await stored([{ _id: 1, shop: { $ref: shops, $id: "b" } }]);
    const join = { from: shops, localField: "shop.$id", foreignField: "_id", as: "at" };
    assert.deepEqual(await piped(sold, { $lookup: join }, { $project: { at: 1, id: "$shop.$id" } }), [
      { _id: 1, at: [{ _id: "b" }], id: "b" },
    ]);
    const graph = { from: shops, startWith: "$shop.$id", connectFromField: "_id", connectToField: "_id", as: "at" };
    assert.deepEqual(await piped(sold, { $graphLookup: graph }, { $project: { at: 1 } }), [
      { _id: 1, at: [{ _id: "b" }] },
    ]);
    for (const wrong of [{ localField: "$shop" }, { foreignField: "$_id" }, { as: "at.$x" }])
      await assert.rejects(piped(sold, { $lookup: { ...join, ...wrong } }), refused(16_410));
    for (const wrong of [{ connectFromField: "$_id" }, { connectToField: "$_id" }, { depthField: "$d" }, { as: "$at" }])
      await assert.rejects(piped(sold, { $graphLookup: { ...graph, ...wrong } }), refused(16_410));
    for (const [maxDepth, code] of [
      ["1", 40_100],
      [-1, 40_101],
      [1.5, 40_102],
    ] as const)
      await assert.rejects(piped(sold, { $graphLookup: { ...graph, maxDepth } }), refused(code));
  });

  test("redacting goes down where it is told to", async () => {
    const document = { _id: 1, level: 1, inner: { level: 5, x: 1 }, list: [{ level: 1 }, { level: 9 }, 7] };
    const stage = { $redact: { $cond: [{ $lte: ["$level", 3] }, "$$DESCEND", "$$PRUNE"] } };
    assert.deepEqual(await run([document], stage), [{ _id: 1, level: 1, list: [{ level: 1 }, 7] }]);
    await assert.rejects(run([document], { $redact: 1 }), refused(17_053));
  });

  test("windows go by places or by values, within their partition", async () => {
    const window = (bounds: Document, operator: Document): Document => ({
      $setWindowFields: { partitionBy: "$shop", sortBy: { day: 1 }, output: { x: { ...operator, window: bounds } } },
    });
    const xs = async (stage: Document): Promise<unknown[]> => (await run(sales, stage)).map(({ x }) => x as unknown);
    assert.deepEqual(await xs(window({ documents: ["unbounded", "current"] }, { $sum: "$sold" })), [10, 30, 70, 5]);
    assert.deepEqual(await xs(window({ documents: [-1, 0] }, { $sum: "$sold" })), [10, 30, 60, 5]);
    assert.deepEqual(await xs(window({ range: [-1, 0] }, { $sum: "$sold" })), [10, 30, 40, 5]);
    assert.deepEqual(await xs(window({ documents: [1, 1] }, { $first: "$sold" })), [20, 40, null, null]);
    await assert.rejects(xs(window({ documents: [1, 0] }, { $sum: 1 })), refused(5_339_900));
    const ordered = (order: Document, bounds: Document): Promise<unknown[]> =>
      xs({ $setWindowFields: { ...order, output: { x: { $sum: 1, window: bounds } } } });
    assert.deepEqual(await ordered({}, { documents: ["unbounded", "unbounded"] }), [4, 4, 4, 4]);
    await assert.rejects(ordered({}, { documents: ["unbounded", "current"] }), refused(5_339_901));
    await assert.rejects(ordered({}, { range: [0, 1] }), refused(5_339_902));
    await assert.rejects(ordered({ sortBy: { day: 1, _id: 1 } }, { range: [0, 1] }), refused(5_339_902));
    await assert.rejects(ordered({ sortBy: { day: -1 } }, { range: [0, 1] }), refused(8_947_401));
  });

  test("ranks, neighbours and rates follow the order", async () => {
    const found = await run(
      [...sales, { _id: 5, shop: "a", day: 4, sold: 0 }].filter(({ shop }) => shop === "a"),
      {
        $setWindowFields: {
          sortBy: { day: 1 },
          output: {
            rank: { $rank: {} },
            dense: { $denseRank: {} },
            before: { $shift: { output: "$_id", by: -1, default: 0 } },
          },
        },
      },
      { $project: { rank: 1, dense: 1, before: 1 } },
    );
    assert.deepEqual(found, [
      { _id: 1, rank: 1, dense: 1, before: 0 },
      { _id: 2, rank: 2, dense: 2, before: 1 },
      { _id: 3, rank: 3, dense: 3, before: 2 },
      { _id: 5, rank: 3, dense: 3, before: 3 },
    ]);
  });

  test("how two numbers vary together is a double, or a decimal where one of them is", async () => {
    const found = await run(
      [1, 2, Decimal128.fromString("3")].map((x, index) => ({ _id: index, x, y: 2 * index })),
      {
        $setWindowFields: {
          sortBy: { _id: 1 },
          output: {
            all: { $covariancePop: ["$x", "$y"], window: { documents: ["unbounded", "current"] } },
            sample: { $covarianceSamp: ["$x", "$y"], window: { documents: ["unbounded", "current"] } },
          },
        },
      },
      { $project: { _id: 0, all: { $toString: "$all" }, sample: { $toString: "$sample" }, type: { $type: "$all" } } },
    );
    assert.deepEqual(found, [
      { all: "0", sample: null, type: "double" },
      { all: "0.5", sample: "1", type: "double" },
      { all: "1.333333333333333333333333333333333", sample: "2", type: "decimal" },
    ]);
  });

  test("gaps are filled on the line between their ends, with the last value, or with a given one", async () => {
    const documents = [1, null, null, 4].map((v, _id) => ({ _id, v, w: v }));
    const stage = { sortBy: { _id: 1 }, output: { v: { method: "linear" }, w: { method: "locf" }, z: { value: 9 } } };
    assert.deepEqual(await run(documents, { $fill: stage }), [
      { _id: 0, v: 1, w: 1, z: 9 },
      { _id: 1, v: 2, w: 1, z: 9 },
      { _id: 2, v: 3, w: 1, z: 9 },
      { _id: 3, v: 4, w: 4, z: 9 },
    ]);
  });

  test("missing steps of a series become documents, up to a limit", async () => {
    const documents = [
      { v: 1, p: "x" },
      { v: 4, p: "x" },
    ];
    const made = await run(
      documents,
      { $densify: { field: "v", partitionByFields: ["p"], range: { step: 1, bounds: "full" } } },
      { $project: { _id: 0 } },
    );
    assert.deepEqual(
      made,
      [1, 2, 3, 4]
        .map((v) => ({ v, p: "x" }))
        .map(({ v, p }, index) => (index === 1 || index === 2 ? { p, v } : { v, p })),
    );
    const far = [{ v: 0 }, { v: 500_002 }];
    const within = { $densify: { field: "v", range: { step: 1, bounds: [0, 500_000] } } };
    assert.equal((await run(far.slice(0, 1), within, { $count: "n" }))[0]?.["n"], 500_000);
    const beyond = { $densify: { field: "v", range: { step: 1, bounds: "full" } } };
    await assert.rejects(run(far, beyond), refused(5_897_900));
  });

  test("a step that holds more than 100 MB is stopped with 292 without a disk, and with 146 where a disk is of no use", async () => {
    const documents = Array.from({ length: 120 }, (_, _id) => ({ _id, n: -_id, text: "x".repeat(1024 * 1024) }));
    const collection = await stored(documents);
    const inMemory = (stage: Document): Promise<unknown> =>
      pipedWith({ allowDiskUse: false }, collection, stage, { $count: "n" });
    for (const stage of [
      { $sort: { n: 1 } },
      { $group: { _id: "$_id", all: { $push: "$text" } } },
      { $setWindowFields: { output: { n: { $sum: 1 } } } },
      { $bucketAuto: { groupBy: "$_id", buckets: 2 } },
    ])
      await assert.rejects(inMemory(stage), refused(292), JSON.stringify(stage));
    for (const stage of [
      { $group: { _id: null, all: { $push: "$text" } } },
      { $setWindowFields: { output: { n: { $sum: 1 } } } },
      { $bucketAuto: { groupBy: "$_id", buckets: 1, output: { all: { $push: "$text" } } } },
      { $sample: { size: 120 } },
    ])
      await assert.rejects(piped(collection, stage, { $count: "n" }), refused(146), JSON.stringify(stage));
    const few = { $limit: 90 };
    assert.equal((await piped(collection, few, { $sort: { n: 1 } }, { $count: "n" }))[0]?.["n"], 90);
    assert.equal((await piped(collection, { $sort: { n: 1 } }, { $skip: 5 }, { $count: "n" }))[0]?.["n"], 115);
  });

  test("loops within loops over the arrays of one document may take millions of steps", async () => {
    const range = { $range: [0, "$length"] };
    const loop = { $map: { input: range, in: { $size: { $filter: { input: range, cond: true } } } } };
    const stage = { $project: { n: { $sum: loop } } };
    assert.equal((await run([{ _id: 1, length: 1200 }], stage))[0]?.["n"], 1_440_000);
  });

  test("a document of more than 16 MiB is not given to anybody, though stages may hand one on", async () => {
    const documents = Array.from({ length: 17 }, (_, _id) => ({ _id, text: "x".repeat(1024 * 1024) }));
    const group = { $group: { _id: null, all: { $push: "$text" } } };
    await assert.rejects(run(documents, group), refused(10_334));
    assert.deepEqual(await run(documents, group, { $project: { n: { $size: "$all" } } }), [{ _id: null, n: 17 }]);
  });

  test("a rate takes all or none at its ends, and is a share", async () => {
    const documents = Array.from({ length: 20 }, (_, _id) => ({ _id }));
    assert.equal((await run(documents, { $match: { $sampleRate: 1 } })).length, 20);
    assert.equal((await run(documents, { $match: { $sampleRate: 0 } })).length, 0);
    await assert.rejects(run(documents, { $match: { $sampleRate: 1.5 } }), refused(2));
  });

  test("$$NOW is one time for the whole pipeline, and variables of let are constants", async () => {
    const [found] = await run([{ a: 1 }, { a: 2 }], { $group: { _id: "$$NOW", n: { $sum: 1 } } });
    assert.equal(found?.["n"], 2);
    assert.ok(found["_id"] instanceof Date);
  });
});
