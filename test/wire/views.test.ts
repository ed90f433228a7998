import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Db, Document } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("views, capped collections and renames through the driver", () => {
  let world: WireWorld;
  let db: Db;
  before(async () => {
    world = await startWireWorld();
    db = world.as("admin").db("shop");
    await db
      .collection("orders")
      .insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: n as never, n, kind: n % 2 === 0 ? "even" : "odd" })));
  });
  after(() => world.stop());

  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  const idsOf = (documents: readonly Document[]): unknown[] => documents.map(({ _id }) => _id as unknown);

  test("a view is read as a collection is: find, count, distinct, aggregate, and through another view", async () => {
    await db.createCollection("evens", { viewOn: "orders", pipeline: [{ $match: { kind: "even" } }] });
    await db.createCollection("bigEvens", { viewOn: "evens", pipeline: [{ $match: { n: { $gte: 4 } } }] });
    const [evens, bigEvens] = [db.collection("evens"), db.collection("bigEvens")];
    assert.deepEqual(idsOf(await evens.find({}).sort({ n: -1 }).skip(1).limit(2).toArray()), [6, 4]);
    assert.deepEqual(await evens.find({ n: 2 }, { projection: { n: 1, _id: 0 } }).toArray(), [{ n: 2 }]);
    assert.equal((await db.command({ count: "bigEvens" }))["n"], 3);
    assert.equal(await bigEvens.countDocuments({}), 3);
    assert.equal(await bigEvens.estimatedDocumentCount(), 3);
    assert.deepEqual(await bigEvens.distinct("n"), [4, 6, 8]);
    assert.deepEqual(await bigEvens.aggregate([{ $group: { _id: null, sum: { $sum: "$n" } } }]).toArray(), [
      { _id: null, sum: 18 },
    ]);
    const joined = await db
      .collection("orders")
      .aggregate([{ $match: { n: 4 } }, { $lookup: { from: "evens", localField: "n", foreignField: "n", as: "e" } }])
      .toArray();
    assert.equal((joined[0] as Document)["e"].length, 1);
  });

  test("nothing is written to a view, and it has no indexes", async () => {
    await db.createCollection("seen", { viewOn: "orders", pipeline: [] });
    const seen = db.collection("seen");
    assert.equal(await codeOf(seen.insertOne({})), 166);
    assert.equal(await codeOf(seen.updateOne({}, { $set: { a: 1 } })), 166);
    assert.equal(await codeOf(seen.deleteMany({})), 166);
    assert.equal(await codeOf(seen.findOneAndDelete({})), 166);
    assert.equal(await codeOf(seen.createIndex({ a: 1 })), 166);
    assert.equal(await codeOf(db.command({ listIndexes: "seen" })), 166);
    assert.equal(await codeOf(db.command({ collStats: "seen" })), 166);
    const [listed] = await db.listCollections({ name: "seen" }).toArray();
    assert.deepEqual(listed, {
      name: "seen",
      type: "view",
      options: { viewOn: "orders", pipeline: [] },
      info: { readOnly: true },
    });
    assert.equal(await seen.drop(), true);
    assert.equal(await db.collection("orders").countDocuments({}), 10);
  });

  test("views that lead back to themselves, are too deep, write, or name stages that are not there, are refused", async () => {
    const create = (name: string, viewOn: string, pipeline: Document[] = []): Promise<unknown> =>
      codeOf(db.command({ create: name, viewOn, pipeline }));
    assert.equal(await create("loop", "loop"), 5);
    assert.equal(await create("loopA", "loopB"), 0);
    assert.equal(await create("loopB", "loopA"), 5);
    assert.equal(await create("bad", "orders", [{ $nothing: 1 }]), 40_324);
    assert.equal(await create("bad", "orders", [{ $out: "x" }]), 167);
    assert.equal(await codeOf(db.command({ create: "bad", viewOn: "orders", capped: true, size: 1 })), 72);
    assert.equal(await codeOf(db.command({ create: "bad", pipeline: [] })), 72);
    for (let depth = 1; depth <= 20; depth += 1)
      assert.equal(await create(`deep${depth}`, depth === 1 ? "orders" : `deep${depth - 1}`), 0, String(depth));
    assert.equal(await db.collection("deep20").countDocuments({}), 10);
    assert.equal(await create("deep21", "deep20"), 165);
  });

  test("a view has its own collation, and collMod gives it another pipeline", async () => {
    await db.collection("words").insertMany([{ t: "a" }, { t: "A" }]);
    await db.createCollection("caseless", { viewOn: "words", collation: { locale: "en", strength: 2 } });
    const view = db.collection("caseless");
    assert.equal(await view.countDocuments({ t: "A" }), 2);
    assert.equal(await codeOf(view.find({}, { collation: { locale: "de" } }).toArray()), 167);
    await db.command({ collMod: "caseless", viewOn: "words", pipeline: [{ $match: { t: "A" } }, { $limit: 1 }] });
    assert.equal(await view.countDocuments({}), 1);
    assert.equal(await codeOf(db.command({ collMod: "words", viewOn: "orders", pipeline: [] })), 72);
  });

  test("a capped collection keeps the newest documents, in the order they came", async () => {
    const log = await db.createCollection<Document>("log", { capped: true, size: 5000, max: 3 });
    for (let n = 1; n <= 5; n += 1) await log.insertOne({ _id: n as never });
    assert.deepEqual(idsOf(await log.find({}).toArray()), [3, 4, 5]);
    assert.deepEqual(idsOf(await log.find({}).sort({ $natural: -1 }).toArray()), [5, 4, 3]);
    const stats = await db.command({ collStats: "log" });
    assert.deepEqual([stats["capped"], Number(stats["max"]), Number(stats["maxSize"])], [true, 3, 5120]);
    assert.equal(await codeOf(log.updateOne({ _id: 3 as never }, { $set: { more: "x" } })), 10_003);
    const small = await db.createCollection<Document>("small", { capped: true, size: 1 });
    for (let n = 1; n <= 5; n += 1) await small.insertOne({ _id: n as never, text: "x".repeat(2000) });
    assert.deepEqual(idsOf(await small.find({}).toArray()), [4, 5], "4096 bytes at least");
    assert.equal(await codeOf(small.insertOne({ text: "x".repeat(5000) })), 2);
    assert.equal(await codeOf(db.command({ create: "bad", capped: true })), 72);
    assert.equal(await codeOf(db.command({ create: "bad", size: 5000 })), 72);
  });

  test("a collection is renamed with its documents and indexes, over another only when asked to, and to another database", async () => {
    const source = db.collection("source");
    await source.createIndex({ a: 1 }, { unique: true });
    await source.insertOne({ a: 1 });
    await db.collection("taken").insertOne({ a: 2 });
    assert.equal(await codeOf(source.rename("taken")), 48);
    await source.rename("taken", { dropTarget: true });
    assert.deepEqual(
      (await db.collection("taken").find({}).toArray()).map(({ a }) => a as unknown),
      [1],
    );
    assert.equal(await codeOf(db.collection("taken").insertOne({ a: 1 })), 11_000);
    const admin = world.as("admin").db("admin");
    const rename = (from: string, to: string): Promise<unknown> =>
      codeOf(admin.command({ renameCollection: from, to }));
    assert.equal(await rename("shop.taken", "other.moved"), 0);
    assert.equal(await world.as("admin").db("other").collection("moved").countDocuments({ a: 1 }), 1);
    assert.equal(await rename("shop.nothing", "shop.x"), 26);
    assert.equal(await rename("shop.orders", "shop.orders"), 20);
    assert.equal(await rename("shop.orders", "shop.$x"), 73);
  });

  test("validate finds a whole collection whole", async () => {
    const lists = db.collection("lists");
    await lists.createIndex({ a: 1, b: -1 });
    await lists.createIndex({ c: 1 }, { sparse: true });
    await lists.insertMany([{ a: [1, 2], b: 1 }, { c: 1 }]);
    const report = await db.command({ validate: "lists", full: true });
    assert.equal(report["valid"], true);
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(report["keysPerIndex"] as object).map(([name, count]) => [name, Number(count)]),
      ),
      { _id_: 2, "a_1_b_-1": 3, c_1: 1 },
    );
  });
});
