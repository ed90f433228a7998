import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { BSON, type Collection, type Document, type MongoClient, Timestamp } from "mongodb";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { CatalogueChanged } from "../../ports/snapshot-source.ts";
import { LoggedWrites, LogUnusable } from "./logged-writes.ts";

const at = (i: number): Timestamp => new Timestamp({ t: 1, i });
const first = { ts: new Timestamp({ t: 0, i: 0 }), t: -1 };

describe("what entries of an operation log do to documents", () => {
  let databases: HostedDatabases;
  let client: MongoClient;
  let log: Collection;
  before(async () => {
    databases = await openHostedDatabases();
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    client = await databases.connect(deployment.id);
    log = client.db("test").collection("log");
  });
  beforeEach(() => log.deleteMany({}));
  after(() => databases.close());

  const insertOf = (_id: number, ns = "shop.orders"): Document => ({ op: "i", ns, o: { _id }, o2: { _id } });
  const commandOf = (i: number, o: Document, more: Document = {}): Document => ({
    ts: at(i),
    op: "c",
    ns: "admin.$cmd",
    o,
    ...more,
  });
  async function writesOf(entry: Document): Promise<readonly (readonly [string, string, Document | undefined])[]> {
    const found: (readonly [string, string, Document | undefined])[] = [];
    for await (const writes of new LoggedWrites(log, new Set(["shop.orders"])).of(BSON.serialize(entry)))
      for (const { kind, id, o } of writes)
        found.push([kind, JSON.stringify(BSON.deserialize(id)), o === undefined ? undefined : BSON.deserialize(o)]);
    return found;
  }

  test("inserts, replacements, changes and deletions of known collections; nothing of others", async () => {
    const ns = "shop.orders";
    assert.deepEqual(await writesOf(insertOf(1)), [["put", '{"_id":1}', { _id: 1 }]]);
    assert.deepEqual(await writesOf({ op: "u", ns, o: { a: 1 }, o2: { _id: 1 } }), [
      ["put", '{"_id":1}', { _id: 1, a: 1 }],
    ]);
    for (const o of [{ $v: 2, diff: { u: { a: 1 } } }, { $v: 1, $set: { a: 1 } }, { $set: { a: 1 } }])
      assert.deepEqual(await writesOf({ op: "u", ns, o, o2: { _id: 1 } }), [["change", '{"_id":1}', o]]);
    assert.deepEqual(await writesOf({ op: "d", ns, o: { _id: 1 } }), [["delete", '{"_id":1}', undefined]]);
    assert.deepEqual(await writesOf({ op: "n", ns: "", o: { msg: "nothing" } }), []);
    assert.deepEqual(await writesOf(insertOf(1, "config.system.sessions")), []);
    assert.deepEqual(await writesOf(insertOf(1, "shop.orders.more")), []);
  });

  test("a transaction in several entries counts as a whole where it ends, wherever it began", async () => {
    const begin = commandOf(1, { applyOps: [insertOf(1)], partialTxn: true }, { prevOpTime: first });
    const middle = commandOf(
      2,
      { applyOps: [insertOf(2), insertOf(3, "other.one")], partialTxn: true },
      { prevOpTime: { ts: at(1), t: 1 } },
    );
    const end = commandOf(3, { applyOps: [insertOf(4)], count: 4 }, { prevOpTime: { ts: at(2), t: 1 } });
    await log.insertMany([begin, middle, end]);
    assert.deepEqual(await writesOf(begin), []);
    assert.deepEqual(await writesOf(middle), []);
    assert.deepEqual(
      (await writesOf(end)).map(([, id]) => id),
      ['{"_id":1}', '{"_id":2}', '{"_id":4}'],
    );
    await log.deleteOne({ ts: at(1) });
    await assert.rejects(writesOf(end), LogUnusable);
  });

  test("a prepared transaction counts when it is committed, and not when it is given up", async () => {
    const part = commandOf(1, { applyOps: [insertOf(1)], partialTxn: true }, { prevOpTime: first });
    const prepared = commandOf(2, { applyOps: [insertOf(2)], prepare: true }, { prevOpTime: { ts: at(1), t: 1 } });
    const commit = commandOf(3, { commitTransaction: 1, commitTimestamp: at(3) }, { prevOpTime: { ts: at(2), t: 1 } });
    await log.insertMany([part, prepared, commit]);
    assert.deepEqual(await writesOf(prepared), []);
    assert.deepEqual(
      (await writesOf(commit)).map(([, id]) => id),
      ['{"_id":1}', '{"_id":2}'],
    );
    assert.deepEqual(await writesOf(commandOf(3, { abortTransaction: 1 }, { prevOpTime: { ts: at(2), t: 1 } })), []);
    await log.deleteOne({ ts: at(2) });
    await assert.rejects(writesOf(commit), LogUnusable);
    await assert.rejects(writesOf(commandOf(3, { commitTransaction: 1 }, { prevOpTime: first })), LogUnusable);
  });

  test("the entry before a retried write is none of a transaction", async () => {
    const ordinary = { ts: at(1), ...insertOf(1), prevOpTime: first };
    const batch = commandOf(2, { applyOps: [insertOf(2)] }, { prevOpTime: { ts: at(1), t: 1 } });
    await log.insertMany([ordinary, batch]);
    assert.deepEqual(
      (await writesOf(batch)).map(([, id]) => id),
      ['{"_id":2}'],
    );
    await log.deleteOne({ ts: at(1) });
    assert.deepEqual(
      (await writesOf(batch)).map(([, id]) => id),
      ['{"_id":2}'],
    );
  });

  test("a change of the catalogue is told, also within a transaction, but for the server's own databases", async () => {
    for (const o of [
      { create: "x" },
      { drop: "x" },
      { renameCollection: "shop.a", to: "shop.b" },
      { collMod: "x" },
      { unheardOf: 1 },
    ])
      await assert.rejects(writesOf({ ...commandOf(1, o), ns: "shop.$cmd" }), CatalogueChanged);
    const inner = { op: "c", ns: "shop.$cmd", o: { create: "x" } };
    await assert.rejects(writesOf(commandOf(1, { applyOps: [inner] })), CatalogueChanged);
    assert.deepEqual(await writesOf({ ...commandOf(1, { create: "x" }), ns: "config.$cmd" }), []);
  });

  test("what is not understood makes the log unusable, instead of being passed over", async () => {
    await assert.rejects(writesOf({ op: "xi", ns: "shop.orders", o: { _id: 1 } }), LogUnusable);
    await assert.rejects(writesOf({ op: "i", ns: "shop.orders", o: { a: 1 } }), LogUnusable);
    await assert.rejects(writesOf({ op: "i", ns: "shop.orders" }), LogUnusable);
  });
});
