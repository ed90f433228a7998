import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Collection, type Document, MongoServerError } from "mongodb";
import { refusedWith } from "../support/refused-with.ts";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("pipelines through the official driver", () => {
  let world: WireWorld;
  let orders: Collection<Document>;
  let products: Collection<Document>;
  before(async () => {
    const role = (roleName: string, databaseName: string, collectionName?: string) => ({
      roleName,
      databaseName,
      ...(collectionName === undefined ? {} : { collectionName }),
    });
    world = await startWireWorld({
      users: [
        databaseUser("reader", role("read", "shop")),
        databaseUser("one", role("read", "shop", "orders")),
        databaseUser("writer", role("readWrite", "shop")),
      ],
    });
    const shop = world.as("admin").db("shop");
    orders = shop.collection("orders");
    products = shop.collection("products");
    await orders.insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: n, product: n % 5, count: n }) as Document));
    await products.insertMany(
      ["a", "b", "c", "d", "e"].map((name, n) => ({ _id: n, name, tags: [n, "x"] }) as Document),
    );
  });
  after(() => world.stop());

  const joined = { $lookup: { from: "products", localField: "product", foreignField: "_id", as: "product" } };

  test("documents of another collection are joined, by a field, by a pipeline, and by both", async () => {
    const byField = await orders.aggregate([{ $match: { _id: 7 } }, joined]).toArray();
    assert.deepEqual(byField, [{ _id: 7, product: [{ _id: 2, name: "c", tags: [2, "x"] }], count: 7 }]);
    const bound = { wanted: "$product" };
    const pipeline = [{ $match: { $expr: { $eq: ["$_id", "$$wanted"] } } }, { $project: { _id: 0, name: 1 } }];
    const byPipeline = await orders
      .aggregate([{ $match: { _id: 7 } }, { $lookup: { from: "products", let: bound, pipeline, as: "found" } }])
      .toArray();
    assert.deepEqual(byPipeline, [{ _id: 7, product: 2, count: 7, found: [{ name: "c" }] }]);
    const both = await products
      .aggregate([
        { $match: { _id: { $lt: 2 } } },
        {
          $lookup: { from: "orders", localField: "_id", foreignField: "product", pipeline: [{ $count: "n" }], as: "n" },
        },
        { $project: { n: { $first: "$n.n" } } },
      ])
      .toArray();
    assert.deepEqual(both, [
      { _id: 0, n: 10 },
      { _id: 1, n: 10 },
    ]);
  });

  test("a join by a field gives the same with an index and without one", async () => {
    const pipeline = [
      { $lookup: { from: "orders", localField: "_id", foreignField: "product", as: "orders" } },
      { $project: { ids: "$orders._id" } },
    ];
    const without = await products.aggregate(pipeline).toArray();
    await orders.createIndex({ product: 1 });
    assert.deepEqual(await products.aggregate(pipeline).toArray(), without);
    await orders.dropIndex("product_1");
  });

  test("who may not read a collection cannot read it by a stage either", async () => {
    const mine = world.as("one").db("shop").collection("orders");
    assert.equal((await mine.aggregate([{ $limit: 1 }]).toArray()).length, 1);
    for (const stage of [
      joined,
      { $unionWith: "products" },
      { $facet: { x: [joined] } },
      { $lookup: { from: "orders", pipeline: [{ $unionWith: { coll: "products" } }], as: "x" } },
      {
        $graphLookup: {
          from: "products",
          startWith: "$product",
          connectFromField: "_id",
          connectToField: "_id",
          as: "x",
        },
      },
    ])
      await assert.rejects(mine.aggregate([stage]).toArray(), refusedWith(13));
  });

  test("who may only read cannot write by $out and $merge, and who may write a database cannot write another", async () => {
    const reading = world.as("reader").db("shop").collection("orders");
    await assert.rejects(reading.aggregate([{ $out: "copy" }]).toArray(), refusedWith(13));
    await assert.rejects(reading.aggregate([{ $merge: { into: "copy" } }]).toArray(), refusedWith(13));
    const writing = world.as("writer").db("shop").collection("orders");
    await assert.rejects(writing.aggregate([{ $out: { db: "other", coll: "copy" } }]).toArray(), refusedWith(13));
    await writing.aggregate([{ $match: { _id: 1 } }, { $out: "copy" }]).toArray();
    assert.deepEqual(await world.as("reader").db("shop").collection("copy").find().toArray(), [
      { _id: 1, product: 1, count: 1 },
    ]);
  });

  test("$out puts its results in the place of what was there, all or nothing, and keeps the indexes", async () => {
    const target = world.as("admin").db("shop").collection("target");
    await target.createIndex({ count: 1 }, { unique: true });
    await target.insertOne({ count: 1, old: true });
    const clashing = [{ $set: { count: 1 } }, { $out: "target" }];
    await assert.rejects(orders.aggregate(clashing).toArray(), refusedWith(11_000));
    assert.equal((await target.findOne({}))?.old, true);
    await orders.aggregate([{ $match: { _id: { $lt: 3 } } }, { $out: "target" }]).toArray();
    assert.deepEqual(
      (await target.find().toArray()).map(({ _id }) => _id as unknown),
      [0, 1, 2],
    );
    assert.equal((await target.indexes()).length, 2);
  });

  test("$merge does with what matches, and with what does not, what it is told", async () => {
    const target = world.as("admin").db("shop").collection<Document>("merged");
    const begin = async (): Promise<void> => {
      await target.deleteMany({});
      await target.insertOne({ _id: 1, old: 1 } as Document);
    };
    const merged = async (options: Document): Promise<Document[]> => {
      await begin();
      await orders
        .aggregate([
          { $match: { _id: { $in: [1, 2] } } },
          { $project: { count: 1 } },
          { $merge: { into: "merged", ...options } },
        ])
        .toArray();
      return target.find().toArray();
    };
    const [old, fresh] = [
      { _id: 1, old: 1 },
      { _id: 2, count: 2 },
    ];
    assert.deepEqual(await merged({}), [{ _id: 1, old: 1, count: 1 }, fresh]);
    assert.deepEqual(await merged({ whenMatched: "replace" }), [{ _id: 1, count: 1 }, fresh]);
    assert.deepEqual(await merged({ whenMatched: "keepExisting" }), [old, fresh]);
    assert.deepEqual(await merged({ whenNotMatched: "discard" }), [{ _id: 1, old: 1, count: 1 }]);
    assert.deepEqual(await merged({ whenMatched: [{ $set: { sum: { $add: ["$old", "$$new.count"] } } }] }), [
      { _id: 1, old: 1, sum: 2 },
      fresh,
    ]);
    await assert.rejects(merged({ whenMatched: "fail" }), refusedWith(11_000));
    await assert.rejects(merged({ whenNotMatched: "fail" }), refusedWith(13_113));
    await assert.rejects(merged({ on: "count" }), refusedWith(51_183));
    assert.deepEqual(await target.find().toArray(), [old]);
  });

  test("a union, facets and a chain of joins give what their parts give", async () => {
    const union = await products.aggregate([{ $unionWith: "orders" }, { $count: "n" }]).toArray();
    assert.deepEqual(union, [{ n: 55 }]);
    const [facets] = await orders
      .aggregate([
        {
          $facet: {
            first: [{ $sort: { _id: -1 } }, { $limit: 1 }, { $project: { _id: 1 } }],
            total: [{ $group: { _id: null, sum: { $sum: "$count" } } }],
            none: [{ $match: { _id: -1 } }],
          },
        },
      ])
      .toArray();
    assert.deepEqual(facets, { first: [{ _id: 49 }], total: [{ _id: null, sum: 1225 }], none: [] });
    const people = world.as("admin").db("shop").collection<Document>("people");
    await people.insertMany([{ _id: 1 }, { _id: 2, boss: 1 }, { _id: 3, boss: 2 }, { _id: 4, boss: 4 }] as Document[]);
    const chain = { from: "people", startWith: "$boss", connectFromField: "boss", connectToField: "_id", as: "chain" };
    const found = await people
      .aggregate([{ $graphLookup: { ...chain, depthField: "steps" } }, { $project: { chain: { _id: 1, steps: 1 } } }])
      .toArray();
    const steps = found.map(({ chain: bosses }) =>
      (bosses as Document[]).map(({ _id, steps: count }) => [_id, Number(count)]).toSorted(),
    );
    assert.deepEqual(steps, [
      [],
      [[1, 0]],
      [
        [1, 1],
        [2, 0],
      ],
      [[4, 0]],
    ]);
  });

  test("documents of a database alone, statistics, and a sample", async () => {
    const shop = world.as("admin").db("shop");
    assert.deepEqual(
      await shop.aggregate([{ $documents: [{ a: 1 }, { a: { $add: [1, 1] } }] }, { $match: { a: 2 } }]).toArray(),
      [{ a: 2 }],
    );
    await assert.rejects(shop.aggregate([{ $match: {} }]).toArray(), refusedWith(73));
    const [statistics] = await orders.aggregate([{ $collStats: { count: {}, storageStats: {} } }]).toArray();
    assert.equal(Number(statistics?.["count"]), 50);
    await orders.find({ _id: 3 } as Document).toArray();
    const [id] = await orders.aggregate([{ $indexStats: {} }]).toArray();
    assert.equal(id?.["name"], "_id_");
    assert.ok(Number((id?.["accesses"] as Document | undefined)?.["ops"]) > 0, "the look-up was not counted");
    const sampled = await orders.aggregate([{ $sample: { size: 7 } }]).toArray();
    assert.equal(new Set(sampled.map(({ _id }) => _id as unknown)).size, 7);
  });

  test("a view is joined, and cannot be written to by $out and $merge", async () => {
    const shop = world.as("admin").db("shop");
    await shop.createCollection("cheap", { viewOn: "products", pipeline: [{ $match: { _id: { $lt: 2 } } }] });
    const join = { $lookup: { from: "cheap", localField: "product", foreignField: "_id", as: "cheap" } };
    const found = await orders
      .aggregate([{ $match: { _id: { $in: [1, 2] } } }, join, { $project: { n: { $size: "$cheap" } } }])
      .toArray();
    assert.deepEqual(found, [
      { _id: 1, n: 1 },
      { _id: 2, n: 0 },
    ]);
    assert.deepEqual(await products.aggregate([{ $unionWith: "cheap" }, { $count: "n" }]).toArray(), [{ n: 7 }]);
    for (const stage of [{ $out: "cheap" }, { $merge: "cheap" }])
      await assert.rejects(orders.aggregate([{ $limit: 1 }, stage]).toArray(), MongoServerError);
    assert.equal(await products.countDocuments({}), 5);
  });

  test("what a collection's rules refuse $merge does not write, unless it is told to pass them by", async () => {
    const shop = world.as("admin").db("shop");
    await shop.createCollection("strict", { validator: { count: { $lt: 10 } } });
    const pipeline = [{ $match: { _id: 20 } }, { $merge: { into: "strict" } }];
    await assert.rejects(orders.aggregate(pipeline).toArray(), refusedWith(121));
    await orders.aggregate(pipeline, { bypassDocumentValidation: true }).toArray();
    assert.equal(await shop.collection("strict").countDocuments({}), 1);
  });

  test("$$NOW is the time of the server in updates and conditions, too", async () => {
    const clocks = world.as("admin").db("shop").collection<Document>("clocks");
    await clocks.insertOne({ _id: 1 } as Document);
    await clocks.updateOne({ $expr: { $gt: ["$$NOW", new Date(0)] } }, [{ $set: { at: "$$NOW" } }]);
    const found = await clocks.findOne({ $expr: { $lte: ["$at", "$$NOW"] } });
    assert.ok(found?.["at"] instanceof Date);
    assert.equal((await clocks.deleteMany({ $expr: { $lte: ["$at", "$$NOW"] } })).deletedCount, 1);
  });

  test("stages of MongoDB that are not served are refused as such, and others as unknown", async () => {
    for (const name of ["$geoNear", "$search", "$vectorSearch", "$listSessions"])
      await assert.rejects(orders.aggregate([{ [name]: {} }]).toArray(), refusedWith(238));
    await assert.rejects(orders.aggregate([{ $unheardOf: {} }]).toArray(), refusedWith(40_324));
    await assert.rejects(orders.aggregate([{ $project: { x: { $function: {} } } }]).toArray(), refusedWith(238));
    await assert.rejects(orders.aggregate([{ $out: "x" }, { $limit: 1 }]).toArray(), refusedWith(40_601));
    await assert.rejects(orders.aggregate([{ $facet: { a: [{ $out: "x" }] } }]).toArray(), refusedWith(40_600));
    await assert.rejects(orders.aggregate([{ $limit: 1 }, { $collStats: {} }]).toArray(), refusedWith(40_602));
    await assert.rejects(orders.aggregate([{ $limit: 1 }, { $changeStream: {} }]).toArray(), refusedWith(40_602));
    await assert.rejects(orders.aggregate([{ $facet: { a: [{ $changeStream: {} }] } }]).toArray(), refusedWith(40_600));
    await assert.rejects(orders.aggregate([{ $changeStream: {} }]).explain(), refusedWith(238));
  });
});
