import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { deserialize, type Document, Int32, Long, serialize } from "bson";
import fc from "fast-check";
import { EmbeddedEngine } from "./embedded-engine.ts";
import { type Engine, EngineError } from "./index.ts";

const signal = new AbortController().signal;
const write = { signal, durable: false };
const read = { signal };
const bytes = (document: Document): Uint8Array => serialize(document, { ignoreUndefined: false });
const everything = { maxDocuments: 100_000, maxBytes: Number.POSITIVE_INFINITY };
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

describe("the engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-engine-"));
  const path = join(folder, "data.sqlite");
  let engine: Engine;
  let nextCollection = 0;
  before(() => {
    engine = new EmbeddedEngine({ path, clock, randomBytes });
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });
  const fresh = (): { database: string; collection: string } => {
    nextCollection += 1;
    return { database: "test", collection: `c${nextCollection}` };
  };
  async function find(namespace: { database: string; collection: string }, query: Document = {}): Promise<Document[]> {
    const { filter = {}, ...rest } = query;
    const options = Object.fromEntries(
      Object.entries(rest).map(([name, value]) => [
        name,
        typeof value === "object" && name !== "atClusterTime" ? bytes(value as Document) : (value as unknown),
      ]),
    );
    const cursor = await engine.find(
      namespace,
      { filter: bytes(filter as Document), ...options },
      { ...read, ...(query.atClusterTime === undefined ? {} : { atClusterTime: query.atClusterTime }) },
    );
    return (await cursor.next(everything, signal)).map((document) => deserialize(document));
  }

  test("a document comes back as the bytes it was given as", async () => {
    const namespace = fresh();
    const document = bytes({
      _id: 1,
      b: new Int32(1),
      a: 1.5,
      l: Long.fromNumber(5),
      nested: { z: [], y: {}, 5: "five", 1: "one" },
    });
    await engine.insert(namespace, [document], true, write);
    const cursor = await engine.find(namespace, { filter: bytes({}) }, read);
    assert.deepEqual(Buffer.from((await cursor.next(everything, signal))[0] as Uint8Array), Buffer.from(document));
  });

  test("an update of one with a sort changes the first by it, also through no index; of many it is refused", async () => {
    const namespace = fresh();
    await engine.insert(
      namespace,
      [3, 1, 2].map((n) => bytes({ _id: n, n })),
      true,
      write,
    );
    const one = { filter: bytes({}), upsert: false, arrayFilters: [], update: bytes({ $set: { first: true } }) };
    await engine.update(namespace, [{ ...one, multi: false, sort: bytes({ n: 1 }) }], true, write);
    assert.deepEqual(await find(namespace, { filter: { first: true } }), [{ _id: 1, n: 1, first: true }]);
    const refused = await engine.update(namespace, [{ ...one, multi: true, sort: bytes({ n: 1 }) }], true, write);
    assert.equal(refused.writeErrors[0]?.code, 9);
  });

  test("a write that is interrupted fails as a whole, and nothing of it stays", async () => {
    const namespace = fresh();
    const documents = Array.from({ length: 10_000 }, (_, n) => bytes({ _id: n, filler: "x".repeat(200) }));
    await engine.insert(namespace, documents, true, write);
    const over = new EngineError(50, "MaxTimeMSExpired", "operation exceeded time limit");
    const interrupted = (): { signal: AbortSignal; durable: boolean } => {
      const controller = new AbortController();
      setImmediate(() => controller.abort(over));
      return { signal: controller.signal, durable: false };
    };
    const everyOne = { filter: bytes({}), multi: true, upsert: false, arrayFilters: [] };
    const set = bytes({ $set: { changed: true } });
    await assert.rejects(engine.update(namespace, [{ ...everyOne, update: set }], false, interrupted()), over);
    await assert.rejects(engine.delete(namespace, [{ filter: bytes({}), justOne: false }], false, interrupted()), over);
    await assert.rejects(engine.insert({ ...namespace, collection: "other" }, documents, false, interrupted()), over);
    assert.equal((await find(namespace, { filter: { changed: { $exists: false } } })).length, 10_000);
    assert.equal((await find({ ...namespace, collection: "other" })).length, 0);
  });

  test("what cannot be an _id is refused, and nothing of it is kept", async () => {
    const namespace = fresh();
    const codes = [];
    for (const id of [[1], /a/, { $a: 1 }, { a: 1, $b: 1 }, { a: { $b: 1 } }]) {
      const { writeErrors } = await engine.insert(namespace, [bytes({ _id: id })], true, write);
      codes.push(writeErrors[0]?.code);
    }
    assert.deepEqual(codes, [53, 53, 52, 52, undefined]);
    assert.equal((await find(namespace)).length, 1);
  });

  test("a missing _id is made and put first", async () => {
    const namespace = fresh();
    await engine.insert(namespace, [bytes({ a: 1 })], true, write);
    const [found] = await find(namespace);
    assert.deepEqual(Object.keys(found ?? {}), ["_id", "a"]);
  });

  test("a second document with an equal _id is refused in MongoDB's words, also with another number type", async () => {
    const namespace = fresh();
    await engine.insert(namespace, [bytes({ _id: new Int32(7) })], true, write);
    const { insertedCount, writeErrors } = await engine.insert(
      namespace,
      [bytes({ _id: Long.fromNumber(7) }), bytes({ _id: 8 })],
      false,
      write,
    );
    assert.equal(insertedCount, 1);
    assert.equal(writeErrors[0]?.code, 11_000);
    assert.equal(
      writeErrors[0]?.message,
      `E11000 duplicate key error collection: test.${namespace.collection} index: _id_ dup key: { _id: 7 }`,
    );
  });

  test("an ordered insert stops at the first failure and keeps what went before", async () => {
    const namespace = fresh();
    const result = await engine.insert(
      namespace,
      [bytes({ _id: 1 }), bytes({ _id: 1 }), bytes({ _id: 2 })],
      true,
      write,
    );
    assert.equal(result.insertedCount, 1);
    assert.equal((await find(namespace)).length, 1);
  });

  test("a unique index refuses a second value, and the refused document leaves nothing behind", async () => {
    const namespace = fresh();
    await engine.createIndexes(
      namespace,
      [bytes({ key: { a: 1 }, name: "a_1", unique: true }), bytes({ key: { b: 1 }, name: "b_1" })],
      write,
    );
    await engine.insert(namespace, [bytes({ _id: 1, a: 1, b: 1 })], true, write);
    const { writeErrors } = await engine.insert(namespace, [bytes({ _id: 2, a: 1, b: 2 })], true, write);
    assert.equal(writeErrors[0]?.code, 11_000);
    assert.deepEqual(await find(namespace, { filter: { b: 2 } }), []);
    assert.equal((await engine.statistics(namespace, read)).documentCount, 1);
  });

  test("an index over what is not unique cannot be made unique, and is not there afterwards", async () => {
    const namespace = fresh();
    await engine.insert(namespace, [bytes({ _id: 1, a: 1 }), bytes({ _id: 2, a: 1 })], true, write);
    await assert.rejects(
      engine.createIndexes(namespace, [bytes({ key: { a: 1 }, name: "a_1", unique: true })], write),
      (error) => (error as EngineError).code === 11_000,
    );
    assert.equal((await engine.listIndexes(namespace, read)).length, 1);
    assert.equal((await find(namespace, { filter: { a: 1 } })).length, 2);
  });

  test("a snapshot sees what was committed before it and nothing after, drops included", async () => {
    const namespace = fresh();
    await engine.insert(
      namespace,
      Array.from({ length: 2000 }, (_, position) => bytes({ _id: position })),
      true,
      write,
    );
    const atClusterTime = await engine.beginSnapshot();
    await engine.delete(namespace, [{ filter: bytes({ _id: { $lt: 1000 } }), justOne: false }], true, write);
    await engine.insert(namespace, [bytes({ _id: 5000 })], true, write);
    assert.equal((await find(namespace)).length, 1001);
    assert.equal((await find(namespace, { atClusterTime })).length, 2000);
    await engine.dropCollection(namespace, write);
    assert.equal((await find(namespace, { atClusterTime })).length, 2000);
    assert.ok(
      (await engine.listCollections("test", { ...read, atClusterTime })).some(
        ({ name }) => name === namespace.collection,
      ),
    );
    assert.ok(!(await engine.listCollections("test", read)).some(({ name }) => name === namespace.collection));
  });

  test("a retried write answers what it answered and changes nothing; an older one is refused", async () => {
    const namespace = fresh();
    const retry = (
      transactionNumber: bigint,
    ): typeof write & { retry: { sessionId: Uint8Array; transactionNumber: bigint } } => ({
      ...write,
      retry: { sessionId: Buffer.alloc(16, 9), transactionNumber },
    });
    await engine.insert(namespace, [bytes({ _id: 1, n: 0 })], true, write);
    const increment = {
      filter: bytes({ _id: 1 }),
      update: bytes({ $inc: { n: 1 } }),
      multi: false,
      upsert: false,
      arrayFilters: [],
    };
    const first = await engine.update(namespace, [increment], true, retry(1n));
    const again = await engine.update(namespace, [increment], true, retry(1n));
    assert.deepEqual({ ...again }, { ...first, retried: [0] });
    assert.equal((await find(namespace))[0]?.n, 1);
    await engine.update(namespace, [increment], true, retry(2n));
    await assert.rejects(
      engine.update(namespace, [increment], true, retry(1n)),
      (error) => (error as EngineError).code === 225,
    );
  });

  test("an update of many does not meet a document twice, though it moves it in the index it reads by", async () => {
    const namespace = fresh();
    await engine.createIndexes(namespace, [bytes({ key: { n: 1 }, name: "n_1" })], write);
    await engine.insert(
      namespace,
      Array.from({ length: 1500 }, (_, position) => bytes({ _id: position, n: position })),
      true,
      write,
    );
    const result = await engine.update(
      namespace,
      [
        {
          filter: bytes({ n: { $gte: 0 } }),
          update: bytes({ $inc: { n: 10_000 } }),
          multi: true,
          upsert: false,
          arrayFilters: [],
        },
      ],
      true,
      write,
    );
    assert.equal(result.modifiedCount, 1500);
    assert.equal((await find(namespace, { filter: { n: { $gte: 20_000 } } })).length, 0);
  });

  test("whatever is asked, an index gives what a scan gives, after inserts, updates and deletes", async () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 5 }),
      fc.constantFrom("a", "b", null, true),
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
    );
    const document = fc.record({ a: value, b: value }, { requiredKeys: [] });
    const query = fc.record(
      {
        a: fc.oneof(
          value,
          fc.record({ $gte: fc.integer({ min: 0, max: 5 }) }),
          fc.record({ $in: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }) }),
        ),
        b: fc.oneof(value, fc.record({ $lt: fc.integer({ min: 0, max: 5 }) })),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { maxLength: 20 }),
        fc.array(query, { minLength: 3, maxLength: 6 }),
        query,
        value,
        async (documents, queries, doomed, replacement) => {
          const plain = fresh();
          const indexed = fresh();
          await engine.createIndexes(
            indexed,
            [bytes({ key: { a: 1, b: -1 }, name: "ab" }), bytes({ key: { b: 1 }, name: "b", sparse: true })].slice(
              0,
              documents.some((one) => Array.isArray(one.a) && Array.isArray(one.b)) ? 0 : 2,
            ),
            write,
          );
          for (const namespace of [plain, indexed]) {
            await engine.insert(
              namespace,
              documents.map((one, position) => bytes({ _id: position, ...one })),
              false,
              write,
            );
            await engine.update(
              namespace,
              [
                {
                  filter: bytes(doomed),
                  update: bytes({ $set: { c: 1, ...(Array.isArray(replacement) ? {} : { b: replacement }) } }),
                  multi: true,
                  upsert: false,
                  arrayFilters: [],
                },
              ],
              false,
              write,
            );
            await engine.delete(namespace, [{ filter: bytes({ _id: 3 }), justOne: true }], true, write);
          }
          for (const filter of queries)
            assert.deepEqual(
              await find(indexed, { filter, sort: { _id: 1 } }),
              await find(plain, { filter, sort: { _id: 1 } }),
            );
          // Two arrays in one document cannot be sorted by: refused with and without an index.
          const sorted = (namespace: typeof plain) =>
            find(namespace, { sort: { a: 1, b: -1, _id: 1 } }).catch((error: EngineError) => error.code);
          assert.deepEqual(await sorted(indexed), await sorted(plain));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("cluster time only grows, also when the clock is set back", async () => {
    const namespace = fresh();
    let nowMs = 2_000_000_000_000;
    const other = new EmbeddedEngine({
      path: join(folder, "time.sqlite"),
      clock: { nowMs: () => nowMs, monotonicMs: () => performance.now() },
      randomBytes,
    });
    await other.insert(namespace, [bytes({ _id: 1 })], true, write);
    const before = other.clusterTime();
    nowMs -= 1_000_000;
    await other.insert(namespace, [bytes({ _id: 2 })], true, write);
    assert.deepEqual(other.clusterTime(), { seconds: before.seconds, increment: before.increment + 1 });
    await other.close();
    const again = new EmbeddedEngine({
      path: join(folder, "time.sqlite"),
      clock: { nowMs: () => nowMs, monotonicMs: () => performance.now() },
      randomBytes,
    });
    assert.deepEqual(again.clusterTime(), { seconds: before.seconds, increment: before.increment + 1 });
    await again.close();
  });

  for (const [count, code] of [
    [99_999, undefined],
    [100_000, undefined],
    [100_001, 67],
    [200_000, 67],
  ] as const)
    test(`an indexed array of ${count} elements is ${code === undefined ? "stored and found" : "refused by code"}`, async () => {
      const namespace = fresh();
      await engine.createIndexes(namespace, [bytes({ key: { a: 1 }, name: "a_1" })], write);
      const a = Array.from({ length: count }, (_, place) => place);
      const { writeErrors } = await engine.insert(namespace, [bytes({ _id: 1, a })], true, write);
      assert.deepEqual(
        writeErrors.map((error) => error.code),
        code === undefined ? [] : [code],
      );
      assert.equal((await find(namespace, { filter: { a: count - 1 } })).length, code === undefined ? 1 : 0);
    });

  test("the file is its owner's alone, and one that is not ours is refused by name", () => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const foreign = join(folder, "foreign.sqlite");
    writeFileSync(foreign, "this is no database, but long enough to be looked at".repeat(20));
    assert.throws(
      () => new EmbeddedEngine({ path: foreign, clock, randomBytes }),
      (error) => error instanceof EngineError && error.message.includes(foreign),
    );
  });
});
