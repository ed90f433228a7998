import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Decimal128, deserialize, type Document, Double, Int32, Long, ObjectId, serialize } from "bson";
import { type Engine, EngineError, openEngine } from "./index.ts";

const memoryMaxBytes = 100_000;
const spillMaxBytes = 3_000_000;
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const signal = new AbortController().signal;
const write = { signal, durable: false };
const bytes = (document: Document): Uint8Array => serialize(document);
const limits = { maxDocuments: 1_000_000, maxBytes: 2 ** 30 };
const refused =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof EngineError && error.code === code;

/** Files of queries that this process has open; undefined where the system does not tell. */
function spillFiles(): string[] | undefined {
  if (!existsSync("/proc/self/fd")) return undefined;
  return readdirSync("/proc/self/fd")
    .map((file) => `/proc/self/fd/${file}`)
    .filter((file) => {
      try {
        return readlinkSync(file).includes(".spill-");
      } catch {
        return false;
      }
    });
}

/** Values of many types, each several times. */
function mixed(n: number): unknown {
  const kind = n % 11;
  const small = n % 37;
  if (kind === 0) return new Int32(small);
  if (kind === 1) return new Double(small + 0.5);
  if (kind === 2) return Long.fromNumber(small);
  if (kind === 3) return Decimal128.fromString(`${small}.50`);
  if (kind === 4) return small % 2 === 0 ? `text ${small}` : `TEXT ${small - 1}`;
  if (kind === 5) return null;
  if (kind === 6) return [small, `b${small}`];
  if (kind === 7) return { a: small };
  if (kind === 8) return new Date(small);
  if (kind === 9) return new ObjectId(String(small).padStart(24, "0"));
  return small % 2 === 0;
}

describe("queries that need more than memory has", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-spill-"));
  const path = join(folder, "small.sqlite");
  let small: Engine;
  let large: Engine;
  before(async () => {
    writeFileSync(`${path}.spill-7`, "left by a crash");
    writeFileSync(join(folder, "other.spill-7"), "somebody else's");
    small = await openEngine({ path, clock, randomBytes, queryMemoryMaxBytes: memoryMaxBytes, spillMaxBytes });
    large = await openEngine({ path: join(folder, "large.sqlite"), clock, randomBytes });
    const documents = Array.from({ length: 5000 }, (_, n) => ({
      _id: n,
      key: (n * 7919) % 501,
      value: mixed((n * 31) % 5000),
      number: n % 3 === 0 ? new Double(n / 7) : new Int32(n % 1000),
      text: `t${n % 2 === 0 ? "A" : "a"}${n % 97}`,
    }));
    for (const engine of [small, large])
      await engine.insert({ database: "test", collection: "c" }, documents.map(bytes), true, write);
  });
  after(async () => {
    await small.close();
    await large.close();
    rmSync(folder, { recursive: true });
  });

  async function piped(engine: Engine, pipeline: readonly Document[], options: Document = {}): Promise<Uint8Array[]> {
    const query = { pipeline: pipeline.map(bytes), write, ...options };
    const cursor = await engine.aggregate("test", "c", query, { signal });
    const found: Uint8Array[] = [];
    while (!cursor.exhausted) found.push(...(await cursor.next(limits, signal)));
    return found;
  }
  const texts = (documents: readonly Uint8Array[]): string[] =>
    documents.map((document) => Buffer.from(document).toString("hex"));

  test("what a crash left is removed when the data file is opened, and nothing else", () => {
    const left = readdirSync(folder).filter((name) => name.includes(".spill-"));
    assert.deepEqual(left, ["other.spill-7"]);
  });

  const sorts: Readonly<Record<string, readonly Document[]>> = {
    "a number": [{ $sort: { key: 1 } }],
    "values of all types": [{ $sort: { value: 1 } }],
    "two fields, one downwards": [{ $sort: { text: -1, number: 1 } }],
    "a limit that fits into memory": [{ $sort: { value: -1 } }, { $limit: 20 }],
    "a limit that does not": [{ $sort: { key: 1 } }, { $limit: 4000 }],
    $bucketAuto: [
      { $bucketAuto: { groupBy: "$value", buckets: 7, output: { n: { $sum: 1 }, top: { $max: "$_id" } } } },
    ],
    "$bucketAuto of a series": [
      {
        $bucketAuto: {
          groupBy: "$key",
          buckets: 5,
          granularity: "R5",
          output: { n: { $sum: 1 }, all: { $sum: "$number" } },
        },
      },
    ],
    $setWindowFields: [
      {
        $setWindowFields: {
          partitionBy: "$key",
          sortBy: { number: 1 },
          output: { place: { $documentNumber: {} }, sum: { $sum: "$_id", window: { documents: ["unbounded", 0] } } },
        },
      },
    ],
  };
  for (const [name, pipeline] of Object.entries(sorts))
    test(`a sort by ${name} comes to the same on the disk, equal keys in the order they came`, async () => {
      const expected = texts(await piped(large, pipeline));
      assert.deepEqual(texts(await piped(small, pipeline)), expected);
      const collation = bytes({ locale: "en", strength: 2 });
      const collated = texts(await piped(large, pipeline, { collation }));
      assert.deepEqual(texts(await piped(small, pipeline, { collation })), collated);
    });

  test("find sorts on the disk too, and is refused with 292 where it must not", async () => {
    const query = { filter: bytes({}), sort: bytes({ value: 1, number: -1 }), skip: 3 };
    const found = async (engine: Engine): Promise<string[]> => {
      const cursor = await engine.find({ database: "test", collection: "c" }, query, { signal });
      return texts(await cursor.next(limits, signal));
    };
    assert.deepEqual(await found(small), await found(large));
    const inMemory = { ...query, allowDiskUse: false };
    const cursor = await small.find({ database: "test", collection: "c" }, inMemory, { signal });
    await assert.rejects(cursor.next(limits, signal), refused(292));
  });

  const number = "$number";
  const value = "$value";
  const accumulators: Readonly<Record<string, Document>> = {
    sum: { $sum: number },
    decimals: { $sum: value },
    average: { $avg: number },
    averageOfAll: { $avg: value },
    count: { $count: {} },
    least: { $min: value },
    greatest: { $max: value },
    first: { $first: value },
    last: { $last: value },
    firstFew: { $firstN: { input: value, n: 3 } },
    lastFew: { $lastN: { input: value, n: 3 } },
    leastFew: { $minN: { input: number, n: 3 } },
    greatestFew: { $maxN: { input: number, n: 3 } },
    top: { $top: { sortBy: { number: -1 }, output: value } },
    bottomFew: { $bottomN: { sortBy: { text: 1, number: 1 }, output: "$_id", n: 4 } },
    all: { $push: "$_id" },
    different: { $addToSet: value },
    merged: { $mergeObjects: { $arrayToObject: [[["x", number]]] } },
    median: { $median: { input: number, method: "approximate" } },
    percentiles: { $percentile: { input: number, p: [0.1, 0.9], method: "approximate" } },
  };
  const sameGroups = async (id: unknown, outputs: Document, options: Document = {}): Promise<void> => {
    const pipeline = [{ $group: { _id: id, ...outputs } }];
    const expected = texts(await piped(large, pipeline, options)).toSorted();
    assert.deepEqual(texts(await piped(small, pipeline, options)).toSorted(), expected);
  };

  for (const [name, accumulator] of Object.entries(accumulators))
    test(`groups with ${name} are the same bytes on the disk`, async () => {
      await assert.rejects(
        piped(small, [{ $group: { _id: { key: "$key", odd: { $mod: ["$_id", 7] } }, result: accumulator } }], {
          allowDiskUse: false,
        }),
        refused(292),
      );
      await sameGroups({ key: "$key", odd: { $mod: ["$_id", 7] } }, { result: accumulator });
    });

  test("groups by values of all types, and by a collation, come together as in memory", async () => {
    const pad = { all: { $push: "$_id" }, n: { $sum: 1 } };
    await sameGroups({ v: value, m: { $mod: ["$_id", 5] } }, pad);
    await sameGroups({ v: "$text", m: { $mod: ["$_id", 5] } }, pad, {
      collation: bytes({ locale: "en", strength: 2 }),
    });
  });

  test("deviations are those of memory but for what is rounded", async () => {
    const pipeline = [
      { $group: { _id: { $mod: ["$_id", 2000] }, pop: { $stdDevPop: number }, samp: { $stdDevSamp: number } } },
    ];
    const found = async (engine: Engine): Promise<Document[]> =>
      (await piped(engine, [...pipeline, { $sort: { _id: 1 } }])).map((one) => deserialize(one));
    const expected = await found(large);
    for (const [index, one] of (await found(small)).entries())
      for (const name of ["pop", "samp"])
        assert.ok(Math.abs(one[name] - expected[index]?.[name]) < 1e-9 * (1 + Math.abs(one[name])), String(index));
  });

  test("memory is enough up to the limit, and the disk is asked for above it", async () => {
    // Each document is counted with its bytes, its key and 64 bytes.
    const sizeOf = async (count: number): Promise<number> => {
      const cursor = await small.find(
        { database: "test", collection: "even" },
        { filter: bytes({ _id: { $lt: count } }), sort: bytes({ n: 1 }), allowDiskUse: false },
        { signal },
      );
      return (await cursor.next(limits, signal)).length;
    };
    const document = (n: number): Document => ({ _id: n, n: -n, text: "x".repeat(4000) });
    const documents = Array.from({ length: 60 }, (_, n) => bytes(document(n)));
    await small.insert({ database: "test", collection: "even" }, documents, true, write);
    const each = (documents[1] as Uint8Array).length + 64;
    const fitting = Math.floor(memoryMaxBytes / (each + 10));
    assert.equal(await sizeOf(fitting), fitting);
    await assert.rejects(sizeOf(fitting + 2), refused(292));
  });

  test("a group that memory does not hold is refused with 146", async () => {
    await assert.rejects(piped(small, [{ $group: { _id: null, all: { $push: "$$ROOT" } } }]), refused(146));
  });

  test("the disk is bounded for all queries together, and free again afterwards", async () => {
    const twice = { $unwind: { path: "$list" } };
    const many = { $addFields: { list: { $range: [0, 20] } } };
    await assert.rejects(piped(small, [many, twice, { $sort: { value: 1 } }]), refused(14_031));
    assert.deepEqual(spillFiles() ?? [], []);
    assert.equal((await piped(small, [{ $sort: { value: 1 } }])).length, 5000);
  });

  test("a file has no name, is for its owner alone, and goes with its cursor, however that ends", async () => {
    const open = async (): Promise<Awaited<ReturnType<Engine["aggregate"]>>> => {
      const cursor = await small.aggregate("test", "c", { pipeline: [bytes({ $sort: { value: 1 } })] }, { signal });
      await cursor.next({ maxDocuments: 1, maxBytes: 1 }, signal);
      return cursor;
    };
    const closed = await open();
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("small.sqlite.spill-")),
      [],
    );
    const files = spillFiles();
    if (files !== undefined) {
      assert.equal(files.length, 1);
      assert.equal(statSync(files[0] as string).mode & 0o777, 0o600);
    }
    closed.close();
    assert.deepEqual(spillFiles() ?? [], []);
    const read = await open();
    while (!read.exhausted) await read.next(limits, signal);
    assert.deepEqual(spillFiles() ?? [], []);
    const controller = new AbortController();
    const killed = await open();
    controller.abort(new EngineError(11_601, "Interrupted", "operation was interrupted"));
    await assert.rejects(
      (async () => {
        while (!killed.exhausted) await killed.next({ maxDocuments: 100_000, maxBytes: 2 ** 30 }, controller.signal);
        throw new EngineError(11_601, "Interrupted", "it was done before it was asked");
      })(),
      refused(11_601),
    );
    assert.deepEqual(spillFiles() ?? [], []);
    const inFacet = {
      $facet: {
        one: [{ $sort: { value: 1 } }, { $limit: 2500 }],
        two: [{ $project: { x: { $divide: [1, "$key"] } } }],
      },
    };
    await assert.rejects(piped(small, [{ $sort: { key: -1 } }, inFacet]));
    assert.deepEqual(spillFiles() ?? [], []);
  });
});
