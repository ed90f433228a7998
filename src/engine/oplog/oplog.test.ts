import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { deserialize, type Document, serialize, Timestamp } from "bson";
import { EmbeddedEngine } from "../embedded-engine.ts";
import { type Engine, EngineError } from "../index.ts";

const signal = new AbortController().signal;
const write = { signal, durable: false };
const limits = { maxDocuments: 100_000, maxBytes: Number.POSITIVE_INFINITY };
const log = { database: "local", collection: "oplog.rs" };
const shop = { database: "shop", collection: "orders" };
const bytes = (document: Document): Uint8Array => serialize(document);
const refusedWith =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof EngineError && error.code === code;

describe("the operation log", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-oplog-"));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };
  const open = (path: string, oplogMaxBytes?: number): Engine =>
    new EmbeddedEngine({ path, clock, randomBytes, ...(oplogMaxBytes === undefined ? {} : { oplogMaxBytes }) });
  function fresh(oplogMaxBytes?: number): Engine {
    files += 1;
    return open(join(folder, `${files}.sqlite`), oplogMaxBytes);
  }
  async function entries(engine: Engine, filter: Document = {}, options: Document = {}): Promise<Document[]> {
    const given = Object.fromEntries(Object.entries(options).map(([name, one]) => [name, bytes(one as Document)]));
    const cursor = await engine.find(log, { filter: bytes(filter), ...given }, { signal });
    return (await cursor.next(limits, signal)).map((entry) => deserialize(entry, { promoteValues: true }));
  }
  const updated = (u: Document, q: Document = {}): Parameters<Engine["update"]>[1] => [
    { filter: bytes(q), update: bytes(u), multi: false, upsert: false, arrayFilters: [] },
  ];

  test("each change of a document has an entry in MongoDB's format, in the order of the changes", async () => {
    const engine = fresh();
    const text = "x".repeat(100);
    await engine.insert(shop, [bytes({ _id: 1, text, a: 1 }), bytes({ _id: 2 })], true, write);
    await engine.update(shop, updated({ $set: { a: 2 } }, { _id: 1 }), true, write);
    await engine.update(shop, updated({ b: 1 }, { _id: 2 }), true, write);
    await engine.delete(shop, [{ filter: bytes({ _id: 1 }), justOne: true }], true, write);
    const [{ uuid } = { uuid: new Uint8Array() }] = await engine.listCollections("shop", { signal });
    const found = await entries(engine);
    assert.deepEqual(
      found.map(({ op, ns, o, o2 }) => ({ op, ns, o, o2 })),
      [
        { op: "n", ns: "", o: { msg: "initiating set" }, o2: undefined },
        {
          op: "c",
          ns: "shop.$cmd",
          o: { create: "orders", idIndex: { v: 2, key: { _id: 1 }, name: "_id_" } },
          o2: undefined,
        },
        { op: "i", ns: "shop.orders", o: { _id: 1, text, a: 1 }, o2: { _id: 1 } },
        { op: "i", ns: "shop.orders", o: { _id: 2 }, o2: { _id: 2 } },
        { op: "u", ns: "shop.orders", o: { $v: 2, diff: { u: { a: 2 } } }, o2: { _id: 1 } },
        { op: "u", ns: "shop.orders", o: { _id: 2, b: 1 }, o2: { _id: 2 } },
        { op: "d", ns: "shop.orders", o: { _id: 1 }, o2: undefined },
      ],
    );
    for (const { ui, t, v, wall } of found.slice(1)) {
      assert.deepEqual(ui.buffer, Buffer.from(uuid));
      assert.deepEqual([t, v, wall], [1, 2, new Date(nowMs)]);
    }
    assert.deepEqual(Object.keys(found[2] as Document), ["op", "ns", "ui", "o", "o2", "ts", "t", "v", "wall"]);
    assert.equal(await engine.count(log, { filter: bytes({}) }, { signal }), 7);
    await engine.close();
  });

  test("commands that change collections and indexes are entries too", async () => {
    const engine = fresh();
    await engine.createIndexes(shop, [bytes({ key: { a: 1 }, name: "a_1" })], write);
    await engine.modifyCollection(shop, bytes({ index: { name: "a_1", hidden: true } }), write);
    await engine.dropIndexes(shop, ["a_1"], write);
    await engine.dropCollection(shop, write);
    await engine.insert(shop, [bytes({ _id: 1 })], true, write);
    await engine.dropDatabase("shop", write);
    assert.deepEqual(
      (await entries(engine, { op: "c" })).map(({ o, o2 }) => [o, o2]),
      [
        [{ create: "orders", idIndex: { v: 2, key: { _id: 1 }, name: "_id_" } }, undefined],
        [{ createIndexes: "orders", v: 2, key: { a: 1 }, name: "a_1" }, undefined],
        [{ collMod: "orders", index: { name: "a_1", hidden: true } }, undefined],
        [
          { dropIndexes: "orders", index: "a_1" },
          { v: 2, key: { a: 1 }, name: "a_1", hidden: true },
        ],
        [{ drop: "orders" }, { numRecords: 0 }],
        [{ create: "orders", idIndex: { v: 2, key: { _id: 1 }, name: "_id_" } }, undefined],
        [{ drop: "orders" }, { numRecords: 1 }],
        [{ dropDatabase: 1 }, undefined],
      ],
    );
    await engine.close();
  });

  test("a retryable write's entries name its session, its number and the entry before", async () => {
    const engine = fresh();
    const sessionId = Uint8Array.from({ length: 48 }, (_, index) => index);
    const retry = { sessionId, transactionNumber: 7n };
    await engine.insert(shop, [bytes({ _id: 1 }), bytes({ _id: 2 })], true, { ...write, retry });
    const [one, two] = await entries(engine, { op: "i" });
    const names = ["lsid", "txnNumber", "op", "ns", "ui", "o", "o2", "stmtId", "ts", "t", "v", "wall", "prevOpTime"];
    assert.deepEqual(Object.keys(one as Document), names);
    assert.deepEqual(one?.lsid.id.buffer, Buffer.from(sessionId.subarray(0, 16)));
    assert.deepEqual(one?.lsid.uid.buffer, Buffer.from(sessionId.subarray(16)));
    assert.deepEqual([one?.txnNumber, one?.stmtId, two?.stmtId], [7, 0, 1]);
    assert.deepEqual(two?.prevOpTime, { ts: one?.ts, t: 1 });
    await engine.insert(shop, [bytes({ _id: 1 }), bytes({ _id: 2 })], true, { ...write, retry });
    assert.equal((await entries(engine, { op: "i" })).length, 2);
    await engine.close();
  });

  test("times only grow, over restarts and with the clock set back, and what did not go through has none", async () => {
    const path = join(folder, "times.sqlite");
    for (let round = 0; round < 4; round += 1) {
      const engine = open(path);
      await engine.insert(shop, [bytes({ _id: round }), bytes({ _id: round + 0.5 })], true, write);
      await engine.insert(shop, [bytes({ _id: round })], true, write);
      await engine.close();
      nowMs -= 3_600_000;
    }
    const engine = open(path);
    const found = await entries(engine);
    assert.equal(found.length, 10);
    for (const [index, { ts }] of found.slice(1).entries()) assert.ok(ts.greaterThan(found[index]?.ts));
    const { seconds, increment } = engine.clusterTime();
    assert.ok(new Timestamp({ t: seconds, i: increment }).greaterThanOrEqual(found.at(-1)?.ts as Timestamp));
    await engine.close();
  });

  test("bounds on ts and both orders give what a look at every entry gives", async () => {
    const engine = fresh();
    for (let round = 0; round < 3; round += 1) {
      const documents = Array.from({ length: 150 }, (_, index) => bytes({ _id: round * 1000 + index }));
      await engine.insert(shop, documents, true, write);
      nowMs += 1000;
    }
    const all = await entries(engine);
    const [low, high] = [all[120]?.ts, all[300]?.ts];
    for (const [bounds, wanted] of [
      [{ $gte: low }, all.slice(120)],
      [{ $gt: low, $lte: high }, all.slice(121, 301)],
      [{ $lt: high }, all.slice(0, 300)],
      [{ $in: [low, high] }, [all[120], all[300]]],
      [low, [all[120]]],
    ] as const) {
      assert.deepEqual(await entries(engine, { ts: bounds }), wanted);
      for (const sort of [{ $natural: -1 }, { ts: -1 }])
        assert.deepEqual(await entries(engine, { ts: bounds }, { sort }), wanted.toReversed());
      assert.deepEqual(await entries(engine, { ts: bounds }, { sort: { $natural: 1 } }), wanted);
    }
    await engine.close();
  });

  test("nobody writes to it, and it has no index", async () => {
    const engine = fresh();
    const attempts = [
      () => engine.insert(log, [bytes({ _id: 1 })], true, write),
      () => engine.update(log, updated({ $set: { a: 1 } }), true, write),
      () => engine.delete(log, [{ filter: bytes({}), justOne: true }], true, write),
      () => engine.createCollection(log, bytes({}), write),
      () => engine.dropCollection(log, write),
      () => engine.dropDatabase("local", write),
      () => engine.createIndexes(log, [bytes({ key: { a: 1 }, name: "a_1" })], write),
    ];
    for (const attempt of attempts) await assert.rejects(async () => attempt(), refusedWith(73));
    assert.deepEqual(await engine.listIndexes(log, { signal }), []);
    await engine.insert({ database: "local", collection: "own" }, [bytes({ _id: 1 })], true, write);
    assert.equal((await entries(engine)).length, 1);
    await engine.close();
  });

  test("a full log loses its oldest entries, and who reads too slowly is told so", async () => {
    const maxBytes = 100_000;
    const engine = fresh(maxBytes);
    const document = (id: number): Uint8Array => bytes({ _id: id, text: "x".repeat(1000) });
    await engine.insert(shop, [document(0)], true, write);
    const slow = await engine.find(log, { filter: bytes({}), tailable: true }, { signal });
    assert.equal((await slow.next({ maxDocuments: 2, maxBytes: 1e9 }, signal)).length, 2);
    for (let id = 1; id < 300; id += 1) await engine.insert(shop, [document(id)], true, write);
    const { documentCount, dataSizeBytes, capped } = await engine.statistics(log, { signal });
    assert.equal(capped?.sizeBytes, maxBytes);
    assert.ok(dataSizeBytes <= maxBytes && dataSizeBytes > maxBytes - 3000, String(dataSizeBytes));
    const found = await entries(engine);
    assert.equal(found.length, documentCount);
    assert.equal(found.at(-1)?.o._id, 299);
    await assert.rejects(slow.next(limits, signal), refusedWith(136));
    await engine.close();
  });

  test("a tailable cursor stays open, and is woken by a write, by its end and by the time", async () => {
    const engine = fresh();
    const tail = await engine.find(log, { filter: bytes({ op: "i" }), tailable: true }, { signal });
    assert.deepEqual([await tail.next(limits, signal), tail.exhausted], [[], false]);
    await tail.more?.(1, signal);
    const woken = tail.more?.(60_000, signal);
    await engine.insert(shop, [bytes({ _id: 1 })], true, write);
    await woken;
    const [entry] = await tail.next(limits, signal);
    assert.equal(deserialize(entry as Uint8Array).o._id, 1);
    const closed = tail.more?.(60_000, signal);
    tail.close();
    await closed;
    assert.deepEqual([await tail.next(limits, signal), tail.exhausted], [[], true]);
    const stopped = new AbortController();
    const other = await engine.find(log, { filter: bytes({}), tailable: true }, { signal });
    await other.next(limits, signal);
    const waiting = other.more?.(60_000, stopped.signal);
    stopped.abort(new EngineError(262, "ExceededTimeLimit", "over"));
    await assert.rejects(waiting as Promise<void>, refusedWith(262));
    await assert.rejects(engine.find(shop, { filter: bytes({}), tailable: true }, { signal }), refusedWith(2));
    await engine.close();
  });

  test("a file of the version without a log opens, keeps what it has and gets one", async () => {
    const path = join(folder, "old.sqlite");
    const before = open(path);
    await before.insert(shop, [bytes({ _id: 1 })], true, write);
    await before.close();
    const old = new DatabaseSync(path);
    old.exec(
      "DROP TABLE pre_image; ALTER TABLE index_specification DROP COLUMN collator; DROP TABLE c_0; DELETE FROM catalog WHERE id = 0; PRAGMA user_version = 1",
    );
    old.exec("INSERT OR REPLACE INTO meta (k, v) VALUES ('clusterTime', x'0500000000943577')");
    old.close();
    const engine = open(path);
    assert.equal(await engine.count(shop, { filter: bytes({ _id: 1 }) }, { signal }), 1);
    const [first] = await entries(engine);
    const { t, i } = (first as Document).ts as Timestamp;
    assert.ok(t > 0x77_35_94_00 || (t === 0x77_35_94_00 && i > 5), `${t}.${i}`);
    await engine.close();
  });

  test("documents that a restore loads are not in it", async () => {
    const engine = fresh();
    await engine.createCollection(shop, bytes({}), write);
    await engine.load(shop, bytes({ _id: 1 }));
    assert.deepEqual(
      (await entries(engine)).map(({ op }) => op),
      ["n", "c"],
    );
    await engine.close();
  });
});
