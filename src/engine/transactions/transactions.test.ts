import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import fc from "fast-check";
import { EmbeddedEngine } from "../embedded-engine.ts";
import { type Engine, EngineError, type WriteOptions } from "../index.ts";

const signal = new AbortController().signal;
const write = { signal, durable: false };
const limits = { maxDocuments: 100_000, maxBytes: Number.POSITIVE_INFINITY };
const orders = { database: "shop", collection: "orders" };
const bytes = (document: Document): Uint8Array => serialize(document);
const refusedWith =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof EngineError && error.code === code;

describe("transactions of the engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-transactions-"));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  let monotonicMs = 0;
  const clock = { nowMs: () => 1_700_000_000_000 + monotonicMs, monotonicMs: () => monotonicMs };
  const session = new Uint8Array(48).fill(7);
  const open = (path: string): Engine => new EmbeddedEngine({ path, clock, randomBytes });
  function fresh(): { engine: Engine; path: string } {
    files += 1;
    const path = join(folder, `${files}.sqlite`);
    return { engine: open(path), path };
  }
  async function all(engine: Engine, options: Pick<WriteOptions, "transaction"> = {}): Promise<Document[]> {
    const query = { filter: bytes({}), sort: bytes({ _id: 1 }) };
    const cursor = await engine.find(orders, query, { signal, ...options });
    return (await cursor.next(limits, signal)).map((document) => deserialize(document));
  }

  test("a transaction ends after 60 seconds, not before, and who waits for it goes on", async () => {
    const { engine } = fresh();
    await engine.insert(orders, [bytes({ _id: 1 })], true, write);
    const transaction = await engine.transactions.begin(session, 1n);
    const within = { ...write, transaction };
    monotonicMs += 59_999;
    assert.equal((await engine.insert(orders, [bytes({ _id: 2 })], true, within)).insertedCount, 1);
    assert.equal(transaction.isOpen, true);
    monotonicMs += 1;
    assert.equal(transaction.isOpen, false);
    await assert.rejects(engine.transactions.commit(session, 1n, write), refusedWith(251));
    await engine.insert(orders, [bytes({ _id: 2 })], true, write);
    assert.deepEqual(await all(engine), [{ _id: 1 }, { _id: 2 }]);
    await engine.close();
  });

  test("statements of a retryable write are remembered across a restart", async () => {
    const { engine, path } = await fresh();
    const retry = { sessionId: session, transactionNumber: 1n };
    await engine.insert(orders, [bytes({ _id: 1 })], true, { ...write, retry });
    await engine.close();
    const again = await open(path);
    const both = [bytes({ _id: 1 }), bytes({ _id: 2 })];
    assert.deepEqual(await again.insert(orders, both, true, { ...write, retry }), {
      insertedCount: 2,
      writeErrors: [],
      retried: [0],
    });
    assert.deepEqual(await all(again), [{ _id: 1 }, { _id: 2 }]);
    await again.close();
  });

  test("a commit is answered again after a restart, and numbers of sessions are used once", async () => {
    const { engine, path } = fresh();
    const transaction = await engine.transactions.begin(session, 5n);
    await engine.insert(orders, [bytes({ _id: 1 })], true, { ...write, transaction });
    await engine.transactions.commit(session, 5n, { signal, durable: true });
    await engine.close();
    const again = open(path);
    await again.transactions.commit(session, 5n, write);
    await assert.rejects(again.transactions.commit(session, 6n, write), refusedWith(251));
    await assert.rejects(again.transactions.commit(session, 4n, write), refusedWith(225));
    await assert.rejects(again.transactions.begin(session, 5n), refusedWith(50_911));
    await assert.rejects(again.transactions.begin(session, 4n), refusedWith(225));
    const retry = { sessionId: session, transactionNumber: 5n };
    await assert.rejects(again.insert(orders, [bytes({ _id: 2 })], true, { ...write, retry }), refusedWith(256));
    assert.deepEqual(await all(again), [{ _id: 1 }]);
    await again.close();
  });

  test("a transaction that writes too much is refused as a whole", async () => {
    const { engine } = fresh();
    const transaction = await engine.transactions.begin(session, 1n);
    const large = (id: number): Uint8Array => bytes({ _id: id, text: "x".repeat(15 * 1024 * 1024) });
    const within = { ...write, transaction };
    await engine.insert(orders, [1, 2, 3, 4].map(large), true, within);
    await assert.rejects(engine.insert(orders, [large(5)], true, within), refusedWith(257));
    assert.equal(transaction.isOpen, false);
    assert.deepEqual(await all(engine), []);
    await engine.close();
  });

  test("a transaction larger than a document is several entries of the log that follow one another", async () => {
    const { engine } = fresh();
    const transaction = await engine.transactions.begin(session, 1n);
    const large = (id: number): Uint8Array => bytes({ _id: id, text: "x".repeat(9 * 1024 * 1024) });
    await engine.insert(orders, [1, 2, 3].map(large), true, { ...write, transaction });
    await engine.transactions.commit(session, 1n, write);
    const log = { database: "local", collection: "oplog.rs" };
    const cursor = await engine.find(log, { filter: bytes({ "o.applyOps": { $exists: true } }) }, { signal });
    const entries = (await cursor.next(limits, signal)).map((entry) => deserialize(entry));
    assert.deepEqual(
      entries.map(({ o }) => [o.applyOps.length as number, o.partialTxn as unknown, o.count as unknown]),
      [
        [2, true, undefined],
        [1, true, undefined],
        [1, undefined, 4],
      ],
    );
    assert.deepEqual(entries[2]?.prevOpTime.ts, entries[1]?.ts);
    assert.deepEqual(entries[1]?.prevOpTime.ts, entries[0]?.ts);
    await engine.close();
  });

  test("whatever a transaction does, it reads and leaves what the same writes without one do", async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("insert"),
        _id: fc.integer({ min: 0, max: 9 }),
        a: fc.integer({ min: 0, max: 5 }),
      }),
      fc.record({
        kind: fc.constant("update"),
        _id: fc.integer({ min: 0, max: 5 }),
        a: fc.integer({ min: 0, max: 5 }),
      }),
      fc.record({ kind: fc.constant("delete"), _id: fc.integer({ min: 0, max: 5 }), a: fc.constant(0) }),
    );
    const { engine } = fresh();
    const plain = fresh().engine;
    let number = 0n;
    async function run(
      target: Engine,
      steps: readonly { kind: string; _id: number; a: number }[],
      options: WriteOptions,
    ) {
      for (const { kind, _id, a } of steps) {
        const filter = bytes({ a: { $gte: _id } });
        if (kind === "insert") {
          const upsert = { filter: bytes({ _id }), update: bytes({ $set: { a, b: [a, a + 1] } }), multi: false };
          await target.update(orders, [{ ...upsert, upsert: true, arrayFilters: [] }], true, options);
        } else if (kind === "update") {
          const change = { filter, update: bytes({ $inc: { a: 1 }, $push: { b: a } }), multi: true, upsert: false };
          await target.update(orders, [{ ...change, arrayFilters: [] }], true, options);
        } else await target.delete(orders, [{ filter, justOne: a === 0 && _id % 2 === 0 }], true, options);
      }
    }
    for (const target of [engine, plain])
      await target.createIndexes(
        orders,
        [bytes({ key: { a: 1 }, name: "a_1" }), bytes({ key: { b: 1 }, name: "b_1" })],
        write,
      );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.boolean(), async (steps, commits) => {
        const before = await all(engine);
        number += 1n;
        const transaction = await engine.transactions.begin(session, number);
        await run(engine, steps, { ...write, transaction });
        if (commits) await run(plain, steps, write);
        const inside = await all(engine, { transaction });
        assert.deepEqual(await all(engine), before);
        for (const filter of [{ a: { $gt: 1 } }, { b: 2 }, { b: { $gte: 3 } }]) {
          const found = await engine.count(orders, { filter: bytes(filter) }, { signal, transaction });
          const scanned = { filter: bytes(filter), hint: "$natural" };
          assert.equal(found, await engine.count(orders, scanned, { signal, transaction }));
        }
        if (commits) {
          await engine.transactions.commit(session, number, write);
          assert.deepEqual(await all(plain), inside);
        } else engine.transactions.abort(session, number);
        assert.deepEqual(await all(engine), commits ? inside : before);
        assert.equal((await engine.validate(orders, { signal })).errors.length, 0);
      }),
      { numRuns: 60 },
    );
    await engine.close();
    await plain.close();
  });
});
