import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Collection, type Db, type Document, type MongoClient } from "mongodb";
import { refusedWith } from "../support/refused-with.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const clusteredIndex = { key: { _id: 1 }, unique: true };

describe("clustered collections, through the driver", () => {
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

  async function fresh(index: object = clusteredIndex, more: object = {}): Promise<Collection> {
    count += 1;
    await database.command({ create: `c${count}`, clusteredIndex: index, ...more });
    return database.collection(`c${count}`);
  }
  const stageOf = ({ queryPlanner }: Document): string => queryPlanner["winningPlan"].stage as string;

  test("lists tell what they are: the index among the options and, as clustered, among the indexes", async () => {
    const collection = await fresh();
    const full = { v: 2, key: { _id: 1 }, name: "_id_", unique: true };
    const [listed] = await database.listCollections({ name: collection.collectionName }).toArray();
    assert.deepEqual((listed as Document)["options"], { clusteredIndex: full });
    assert.equal("idIndex" in (listed as Document), false);
    await collection.createIndex({ a: 1 });
    assert.deepEqual(await collection.indexes(), [
      { ...full, clustered: true },
      { v: 2, key: { a: 1 }, name: "a_1" },
    ]);
    const named = await fresh({ ...clusteredIndex, name: "by id" });
    assert.deepEqual((await named.indexes())[0]?.["name"], "by id");
  });

  test("documents are stored in the order of _id, and found by it without an index beside them", async () => {
    const collection = await fresh();
    await collection.insertMany([3, 1, 5, 2, 4].map((_id) => ({ _id, even: _id % 2 === 0 }) as unknown as Document));
    const ids = async (filter: Document, options: object = {}): Promise<unknown[]> =>
      (await collection.find(filter, options).toArray()).map(({ _id }) => _id as unknown);
    assert.deepEqual(await ids({}), [1, 2, 3, 4, 5]);
    assert.deepEqual(await ids({}, { hint: { $natural: -1 } }), [5, 4, 3, 2, 1]);
    assert.deepEqual(await ids({ even: true }, { hint: "_id_" }), [2, 4]);
    assert.deepEqual(await ids({ _id: { $gte: 2, $lt: 5 } } as Document), [2, 3, 4]);
    assert.equal(stageOf(await collection.find({}).explain()), "COLLSCAN");
    const bounded = await collection.find({ _id: { $gte: 2, $lt: 5 } } as Document).explain("executionStats");
    assert.equal(stageOf(bounded), "CLUSTERED_IXSCAN");
    assert.deepEqual(
      [bounded["queryPlanner"].winningPlan.minRecord, bounded["queryPlanner"].winningPlan.maxRecord],
      [2, 5],
    );
    assert.equal(bounded["executionStats"].totalDocsExamined, 3);
    await assert.rejects(collection.insertOne({ _id: 3 } as unknown as Document), refusedWith(11_000));
  });

  test("the index can be neither dropped nor hidden, nor another made of _id; the same one is there already", async () => {
    const collection = await fresh({ ...clusteredIndex, name: "by id" });
    const create = (index: object): Promise<Document> =>
      database.command({ createIndexes: collection.collectionName, indexes: [index] });
    await create({ key: { _id: 1 }, name: "by id", unique: true, clustered: true });
    await assert.rejects(create({ key: { _id: 1 }, name: "_id_" }), refusedWith(67));
    await assert.rejects(create({ key: { _id: 1 }, name: "x", unique: true, clustered: true }), refusedWith(6_243_700));
    await assert.rejects(create({ key: { a: 1 }, name: "by id", clustered: true }), refusedWith(6_243_700));
    const plain = await database.createCollection("plain");
    const asked = { key: { _id: 1 }, name: "_id_", unique: true, clustered: true };
    await assert.rejects(
      database.command({ createIndexes: plain.collectionName, indexes: [asked] }),
      refusedWith(6_243_700),
    );
    await assert.rejects(collection.dropIndex("by id"), refusedWith(5_979_800));
    await assert.rejects(
      database.command({ dropIndexes: collection.collectionName, index: { _id: 1 } }),
      refusedWith(5_979_800),
    );
    await collection.dropIndexes();
    assert.equal((await collection.indexes()).length, 1);
    const hide = { collMod: collection.collectionName, index: { name: "by id", hidden: true } };
    await assert.rejects(database.command(hide), refusedWith(2));
  });

  test("documents whose _id is a date go after a time, which collMod changes and ends", async () => {
    const collection = await fresh(clusteredIndex, { expireAfterSeconds: 3600 });
    const name = collection.collectionName;
    const options = async (): Promise<Document> =>
      ((await database.listCollections({ name }).next()) as Document)["options"] as Document;
    assert.equal((await options())["expireAfterSeconds"], 3600);
    const hours = [0, 0.5, 2, 3].map((ago) => new Date(Date.now() - ago * 3_600_000));
    await collection.insertMany([...hours, 1, "x"].map((_id) => ({ _id }) as unknown as Document));
    assert.equal(await world.engine.expireDocuments(), 2);
    assert.equal(await collection.countDocuments({ _id: { $type: "date" } } as Document), 2);
    await database.command({ collMod: name, expireAfterSeconds: 60 });
    assert.equal(await world.engine.expireDocuments(), 1);
    assert.equal((await options())["expireAfterSeconds"], 60);
    await database.command({ collMod: name, expireAfterSeconds: "off" });
    assert.equal("expireAfterSeconds" in (await options()), false);
    await assert.rejects(database.command({ collMod: name, expireAfterSeconds: -1 }), refusedWith(72));
    await database.createCollection("unclustered");
    await assert.rejects(database.command({ collMod: "unclustered", expireAfterSeconds: 1 }), refusedWith(72));
  });

  test("what cannot be clustered is refused with MongoDB's codes", async () => {
    const cases: [unknown, object, number][] = [
      [true, {}, 5_979_703],
      [1, {}, 14],
      [{ key: { _id: 1 } }, {}, 40_414],
      [{ unique: true }, {}, 40_414],
      [{ key: { _id: 1 }, unique: false }, {}, 5_979_700],
      [{ key: { _id: -1 }, unique: true }, {}, 197],
      [{ key: { ts: 1 }, unique: true }, {}, 197],
      [{ ...clusteredIndex, some: 1 }, {}, 40_415],
      [{ ...clusteredIndex, v: 3 }, {}, 5_979_704],
      [clusteredIndex, { viewOn: "c1" }, 6_026_500],
      [clusteredIndex, { capped: true, size: 10_000 }, 72],
      [clusteredIndex, { expireAfterSeconds: -10 }, 72],
    ];
    for (const [index, more, code] of cases)
      await assert.rejects(
        database.command({ create: "refused", clusteredIndex: index, ...more }),
        refusedWith(code),
        JSON.stringify([index, more]),
      );
    await assert.rejects(database.command({ create: "refused", expireAfterSeconds: 1 }), refusedWith(72));
  });
});
