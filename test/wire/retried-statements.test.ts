import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { Binary, type Document, Long, type MongoClient } from "mongodb";
import type { RawClient } from "../support/raw-client.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

interface Numbered extends Document {
  readonly _id: number;
}

describe("a retryable write that is sent again", () => {
  let world: WireWorld;
  let raw: RawClient;
  let client: MongoClient;
  before(async () => {
    world = await startWireWorld();
    client = await world.as("admin").connect();
    raw = await world.raw();
    await raw.login("admin", "password");
  });
  after(() => world.stop());
  beforeEach(() => orders().drop());

  const orders = () => client.db("shop").collection<Numbered>("orders");
  const all = (): Promise<Numbered[]> => orders().find().sort({ _id: 1 }).toArray();
  const newRetry = (): Document => ({ lsid: { id: new Binary(randomBytes(16), 4) }, txnNumber: Long.fromNumber(1) });
  const run = (command: Document, retry: Document, database = "shop"): Promise<Document> =>
    raw.command({ ...command, ...retry }, database);
  const figures = ({ ok, n, nModified, retriedStmtIds, upserted, writeErrors }: Document): Document => ({
    ok,
    n,
    ...(nModified === undefined ? {} : { nModified }),
    ...(retriedStmtIds === undefined ? {} : { retriedStmtIds }),
    ...(upserted === undefined ? {} : { upserted }),
    ...(writeErrors === undefined ? {} : { failed: (writeErrors as Document[]).map(({ index }) => index) }),
  });
  const increment = (_id: number): Document => ({ q: { _id }, u: { $inc: { n: 1 } } });

  test("answers inserts that were done and does the rest, one that failed before too", async () => {
    await orders().insertOne({ _id: 2, foreign: true });
    const retry = newRetry();
    const insert = { insert: "orders", documents: [{ _id: 1 }, { _id: 2 }, { _id: 3 }] };
    assert.deepEqual(figures(await run(insert, retry)), { ok: 1, n: 1, failed: [1] });
    assert.deepEqual(figures(await run(insert, retry)), { ok: 1, n: 1, retriedStmtIds: [0], failed: [1] });
    await orders().deleteOne({ _id: 2 });
    assert.deepEqual(figures(await run(insert, retry)), { ok: 1, n: 3, retriedStmtIds: [0] });
    assert.deepEqual(figures(await run(insert, retry)), { ok: 1, n: 3, retriedStmtIds: [0, 1, 2] });
    assert.deepEqual(await all(), [{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  });

  test("makes no collection again that was dropped since", async () => {
    const retry = newRetry();
    const insert = { insert: "orders", documents: [{ _id: 1 }] };
    await run(insert, retry);
    await orders().drop();
    assert.deepEqual(figures(await run(insert, retry)), { ok: 1, n: 1, retriedStmtIds: [0] });
    assert.deepEqual(await client.db("shop").listCollections({ name: "orders" }).toArray(), []);
  });

  test("does statements by their ids, whatever commands they come in", async () => {
    await orders().insertMany([1, 2, 3].map((_id) => ({ _id, n: 0 })));
    const retry = newRetry();
    const update = (ids: readonly number[], fields: Document): Promise<Document> =>
      run({ update: "orders", updates: ids.map(increment), ...fields }, retry);
    assert.deepEqual(figures(await update([1], { stmtIds: [7] })), { ok: 1, n: 1, nModified: 1 });
    assert.deepEqual(figures(await update([1, 2, 3], { stmtIds: [7, 0, 9] })), {
      ok: 1,
      n: 3,
      nModified: 3,
      retriedStmtIds: [7],
    });
    assert.deepEqual(figures(await update([3], { stmtId: 9 })), { ok: 1, n: 1, nModified: 1, retriedStmtIds: [9] });
    assert.deepEqual(figures(await update([3, 3], { stmtId: 9 })), { ok: 1, n: 2, nModified: 2, retriedStmtIds: [9] });
    assert.deepEqual(
      (await all()).map(({ n }) => n),
      [1, 1, 2],
    );
  });

  test("answers what an update inserted, and does again what found nothing to change", async () => {
    const retry = newRetry();
    const update = { update: "orders", updates: [{ ...increment(1), upsert: true }, increment(2)] };
    const upserted = [{ index: 0, _id: 1 }];
    assert.deepEqual(figures(await run(update, retry)), { ok: 1, n: 1, nModified: 0, upserted });
    await orders().insertOne({ _id: 2, n: 5 });
    assert.deepEqual(figures(await run(update, retry)), { ok: 1, n: 2, nModified: 1, upserted, retriedStmtIds: [0] });
    assert.deepEqual(await all(), [
      { _id: 1, n: 1 },
      { _id: 2, n: 6 },
    ]);
  });

  test("deletes each document once", async () => {
    await orders().insertMany([1, 2, 3, 4].map((_id) => ({ _id })));
    const retry = newRetry();
    const one = { q: {}, limit: 1 };
    assert.deepEqual(figures(await run({ delete: "orders", deletes: [one] }, retry)), { ok: 1, n: 1 });
    assert.deepEqual(figures(await run({ delete: "orders", deletes: [one, one] }, retry)), {
      ok: 1,
      n: 2,
      retriedStmtIds: [0],
    });
    assert.equal(await orders().countDocuments(), 2);
  });

  test("findAndModify answers the document of the first time", async () => {
    await orders().insertOne({ _id: 1, n: 0 });
    const retry = newRetry();
    const modify = { findAndModify: "orders", query: { _id: 1 }, update: { $inc: { n: 1 } }, new: true };
    const first = await run(modify, retry);
    assert.deepEqual([first["value"], first["retriedStmtId"]], [{ _id: 1, n: 1 }, undefined]);
    await orders().updateOne({ _id: 1 }, { $set: { n: 70 } });
    const again = await run(modify, retry);
    assert.deepEqual([again["value"], again["retriedStmtId"]], [{ _id: 1, n: 1 }, 0]);
    assert.deepEqual(again["lastErrorObject"], first["lastErrorObject"]);
    assert.equal((await run({ ...modify, stmtId: 4 }, retry))["value"].n, 71);
    const other = newRetry();
    await run({ insert: "orders", documents: [{ _id: 9 }] }, other);
    assert.equal((await run(modify, other))["code"], 40_606);
  });

  test("a bulk of several collections does each of its operations once", async () => {
    const retry = newRetry();
    const ops = [
      { insert: 0, document: { _id: 1, n: 0 } },
      { update: 0, filter: { _id: 1 }, updateMods: { $inc: { n: 1 } } },
      { update: 1, filter: { _id: 5 }, updateMods: { $inc: { n: 1 } }, upsert: true },
      { delete: 1, filter: { _id: 5 } },
    ];
    const bulk = (count: number): Promise<Document> =>
      run(
        { bulkWrite: 1, ops: ops.slice(0, count), nsInfo: [{ ns: "shop.orders" }, { ns: "shop.others" }] },
        retry,
        "admin",
      );
    assert.equal((await bulk(3))["retriedStmtIds"], undefined);
    const again = await bulk(4);
    assert.deepEqual(again["retriedStmtIds"], [0, 1, 2]);
    const told = ["nErrors", "nInserted", "nMatched", "nModified", "nUpserted", "nDeleted"].map((name) => again[name]);
    assert.deepEqual(told, [0, 1, 1, 1, 1, 1]);
    assert.deepEqual(
      (again["cursor"] as Document)["firstBatch"].map(({ idx, n, nModified, upserted }: Document) => [
        idx,
        n,
        nModified,
        upserted,
      ]),
      [
        [0, 1, undefined, undefined],
        [1, 1, 1, undefined],
        [2, 1, 0, { _id: 5 }],
        [3, 1, undefined, undefined],
      ],
    );
    assert.deepEqual(await all(), [{ _id: 1, n: 1 }]);
  });

  test("entries of the operation log have the ids, and each names the one before, across commands", async () => {
    const retry = newRetry();
    await run({ insert: "orders", documents: [{ _id: 1 }], stmtIds: [3] }, retry);
    await run({ insert: "orders", documents: [{ _id: 1 }, { _id: 2 }], stmtIds: [3, 5] }, retry);
    const entries = await client
      .db("local")
      .collection("oplog.rs")
      .find({ "lsid.id": retry["lsid"].id, op: "i" })
      .sort({ $natural: 1 })
      .toArray();
    assert.deepEqual(
      entries.map(({ stmtId, o }) => [stmtId, (o as Document)["_id"]]),
      [
        [3, 1],
        [5, 2],
      ],
    );
    assert.deepEqual(entries[1]?.["prevOpTime"].ts, entries[0]?.["ts"]);
  });

  test("ids that do not fit the statements are refused", async () => {
    const codeOf = async (fields: Document): Promise<unknown> =>
      (await run({ insert: "orders", documents: [{}], ...fields }, newRetry()))["code"];
    assert.equal(await codeOf({ stmtIds: [0, 1] }), 16);
    assert.equal(await codeOf({ stmtIds: [] }), 16);
    assert.equal(await codeOf({ stmtIds: [0], stmtId: 0 }), 72);
    assert.equal(await codeOf({ stmtIds: [-1] }), 2);
    assert.equal(await codeOf({ stmtIds: ["0"] }), 2);
    assert.equal(await codeOf({ stmtIds: [2 ** 31] }), 2);
    assert.equal(await codeOf({ stmtId: 2 ** 31 }), 2);
    assert.equal(await codeOf({ stmtId: 2 ** 31 - 1 }), undefined);
    assert.equal(await codeOf({ stmtIds: [0] }), undefined);
  });
});
