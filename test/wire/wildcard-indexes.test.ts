import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Collection, type Db, type Document, type MongoClient } from "mongodb";
import fc from "fast-check";
import { refusedWith } from "../support/refused-with.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("wildcard indexes, through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  let database: Db;
  let count = 0;
  before(async () => {
    world = await startWireWorld();
    client = world.as("admin");
    database = client.db("shop");
  });
  after(() => world.stop());

  const fresh = (): Collection => {
    count += 1;
    return database.collection(`c${count}`);
  };
  async function explained(collection: Collection, filter: Document, options: object = {}): Promise<Document> {
    const { queryPlanner, executionStats } = await collection.find(filter, options).explain("executionStats");
    const { winningPlan } = queryPlanner as { winningPlan: Document };
    const stage = (winningPlan["inputStage"] ?? winningPlan) as Document;
    return { stage: stage["stage"], bounds: stage["indexBounds"], examined: executionStats.totalDocsExamined };
  }

  test("any path is found through one index, with what it looked at shown by path and value", async () => {
    const products = fresh();
    assert.equal(await products.createIndex({ "$**": 1 }), "$**_1");
    assert.deepEqual((await products.indexes())[1], { v: 2, key: { "$**": 1 }, name: "$**_1" });
    await products.insertMany([
      { _id: 1, size: { w: 3, h: 4 }, tags: ["a", "b"], parts: [{ name: "x" }, { name: "y", n: 5 }] },
      { _id: 2, size: { w: 7 }, tags: "a" },
      { _id: 3, size: "none", parts: { name: "y" } },
    ] as unknown as Document[]);
    assert.deepEqual(await explained(products, { "size.w": { $gt: 5 } }), {
      stage: "IXSCAN",
      bounds: { $_path: ['["size.w", "size.w"]'], "size.w": ["(5, inf.0]"] },
      examined: 1,
    });
    const ids = async (filter: Document): Promise<unknown[]> => {
      const { stage } = await explained(products, filter);
      assert.equal(stage, "$or" in filter ? "OR" : "IXSCAN", JSON.stringify(filter));
      return (await products.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id as unknown);
    };
    assert.deepEqual(await ids({ tags: "a" }), [1, 2]);
    assert.deepEqual(await ids({ "parts.name": { $in: ["y"] } }), [1, 3]);
    assert.deepEqual(await ids({ "parts.n": { $gte: 5 } }), [1]);
    assert.deepEqual(await ids({ $or: [{ "size.h": 4 }, { size: "none" }] }), [1, 3]);
    assert.deepEqual(await ids({ tags: "a", unindexed: null, "size.w": 7 }), [2]);
    await products.updateOne({ "size.w": 7 }, { $set: { "size.w": 9 }, $unset: { tags: 1 } });
    assert.deepEqual(await ids({ "size.w": 9 }), [2]);
    assert.deepEqual(await ids({ tags: "a" }), [1]);
    assert.equal((await database.command({ validate: products.collectionName }))["valid"], true);
  });

  test("what has no keys in it is not asked of it: missing, null, documents, positions, _id, and paths beside its root", async () => {
    const [all, below] = [fresh(), fresh()];
    await all.createIndex({ "$**": 1 });
    await below.createIndex({ "a.b.$**": 1 });
    await all.insertOne({ a: { b: { c: 1 } } });
    await below.insertOne({ a: [{ b: { c: 1 } }, { b: 2 }], c: 1 });
    const stage = async (collection: Collection, filter: Document): Promise<unknown> =>
      (await explained(collection, filter))["stage"];
    for (const filter of [{ a: null }, { a: { $exists: false } }, { a: { b: { c: 1 } } }, { "a.0": 1 }, { a: [] }, {}])
      assert.equal(await stage(all, filter), "COLLSCAN", JSON.stringify(filter));
    for (const filter of [{ "a.b.c": 1 }, { "a.b": 2 }]) {
      assert.equal(await stage(below, filter), "IXSCAN");
      assert.equal(await below.countDocuments(filter), 1);
    }
    for (const filter of [{ a: 1 }, { c: 1 }, { "a.bc": 1 }]) assert.equal(await stage(below, filter), "COLLSCAN");
    await assert.rejects(all.find({ a: null }).hint("$**_1").toArray(), refusedWith(291));
    assert.equal((await all.find({ "a.b.c": 1 }).hint({ "$**": 1 }).toArray()).length, 1);
  });

  test("whatever is asked, the answer is the one without an index", async () => {
    const [indexed, plain] = [fresh(), fresh()];
    await indexed.createIndex({ "$**": 1 });
    const scalar = fc.constantFrom<unknown>(0, 1, 2, "a", "b", null, true);
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        scalar,
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "0"), tie("value"), { maxKeys: 2 }),
      ),
    }));
    const document = fc.dictionary(fc.constantFrom("a", "b"), value, { maxKeys: 2 });
    const path = fc.constantFrom("a", "b", "a.a", "a.b", "b.a", "a.0", "a.b.a", "a.0.b");
    const condition = fc.oneof(
      value.map((wanted) => ({ $eq: wanted })),
      fc.array(value, { maxLength: 3 }).map((values) => ({ $in: values })),
      fc
        .tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte", "$ne"), value)
        .map(([operator, wanted]) => ({ [operator]: wanted })),
      scalar.map((wanted) => ({ $elemMatch: { $gte: wanted } })),
      fc.boolean().map((exists) => ({ $exists: exists })),
    );
    const filter = fc.tuple(path, condition).map(([name, wanted]) => ({ [name]: wanted }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(filter, filter, fc.constantFrom("$and", "$or")), { minLength: 1, maxLength: 15 }),
        async (documents, queries) => {
          const numbered = documents.map((one, _id) => ({ _id, ...one }) as unknown as Document);
          for (const collection of [indexed, plain]) {
            await collection.deleteMany({});
            await collection.insertMany(numbered.map((one) => structuredClone(one)));
          }
          for (const [one, other, both] of queries)
            for (const asked of [one, { [both]: [one, other] }] as Document[])
              assert.deepEqual(
                await indexed.find(asked).sort({ _id: 1 }).toArray(),
                await plain.find(asked).sort({ _id: 1 }).toArray(),
                JSON.stringify(asked),
              );
        },
      ),
      { numRuns: 25 },
    );
    assert.equal((await database.command({ validate: indexed.collectionName }))["valid"], true);
  });

  test("what a wildcard index cannot be is refused", async () => {
    const create = (key: Document, options: object = {}): Promise<unknown> =>
      database.command({ createIndexes: "refused", indexes: [{ key, name: "x", ...options }] });
    for (const options of [{ unique: true }, { sparse: true }, { expireAfterSeconds: 1 }])
      await assert.rejects(create({ "$**": 1 }, options), refusedWith(67));
    for (const key of [{ "$**": -1 }, { "$**": "hashed" }, { "a.$**.b": 1 }, { ".$**": 1 }])
      await assert.rejects(create(key), refusedWith(67), JSON.stringify(key));
    await assert.rejects(create({ "$**": 1, a: 1 }), refusedWith(238));
    await assert.rejects(create({ "$**": 1 }, { wildcardProjection: { a: 1 } }), refusedWith(238));
  });
});
