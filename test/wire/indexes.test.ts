import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Collection, Db, Document, IndexSpecification, MongoServerError } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("indexes through the driver", () => {
  let world: WireWorld;
  let db: Db;
  let count = 0;
  before(async () => {
    world = await startWireWorld();
    db = world.as("admin").db("shop");
  });
  after(() => world.stop());

  const fresh = (): Collection<Document> => {
    count += 1;
    return db.collection(`c${count}`);
  };
  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 0,
      (error: { code: number }) => error.code,
    );

  test("a partial unique index holds for its documents alone, and is not used for others", async () => {
    const users = fresh();
    await users.createIndex({ name: 1 }, { unique: true, partialFilterExpression: { active: true } });
    await users.insertMany([{ name: "a" }, { name: "a" }, { name: "a", active: true }]);
    assert.equal(await codeOf(users.insertOne({ name: "a", active: true })), 11_000);
    assert.equal(await users.countDocuments({ name: "a" }), 3);
    assert.equal(await users.countDocuments({ name: "a", active: true }), 1);
    assert.equal(await codeOf(users.updateMany({}, { $set: { active: true } })), 11_000);
  });

  test("a hashed index finds by equality, and takes no arrays and no unique rule", async () => {
    const users = fresh();
    await users.createIndex({ name: "hashed" });
    await users.insertMany([{ name: "a" }, { name: "b" }, { name: 1 }]);
    assert.equal(await users.countDocuments({ name: { $in: ["a", 1] } }), 2);
    assert.equal(await users.countDocuments({ name: { $gt: "a" } }), 1);
    assert.deepEqual(
      (await users.find({}).sort({ name: -1 }).toArray()).map(({ name }) => name as unknown),
      ["b", "a", 1],
    );
    assert.equal(await codeOf(users.insertOne({ name: ["a"] })), 16_766);
    assert.equal(await codeOf(users.createIndex({ other: "hashed" }, { unique: true })), 16_764);
  });

  test("documents go when the date of a TTL index is over: the earliest of an array, and none without a date", async () => {
    const sessions = fresh();
    await sessions.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);
    await sessions.insertMany([
      { _id: 1 as never, at: ago(120) },
      { _id: 2 as never, at: ago(5) },
      { _id: 3 as never, at: [ago(5), ago(120)] },
      { _id: 4 as never, at: "long ago" },
      { _id: 5 as never },
    ]);
    assert.equal(await world.engine.expireDocuments(), 2);
    assert.deepEqual(
      (await sessions.find({}).toArray()).map(({ _id }) => _id as unknown),
      [2, 4, 5],
    );
    const reply = await db.command({
      collMod: sessions.collectionName,
      index: { keyPattern: { at: 1 }, expireAfterSeconds: 1 },
    });
    assert.deepEqual([Number(reply["expireAfterSeconds_old"]), Number(reply["expireAfterSeconds_new"])], [60, 1]);
    assert.equal(await world.engine.expireDocuments(), 1);
  });

  test("a TTL index with a partial filter leaves documents that it does not have", async () => {
    const sessions = fresh();
    await sessions.createIndex({ at: 1 }, { expireAfterSeconds: 0, partialFilterExpression: { done: true } });
    await sessions.insertMany([{ at: new Date(0) }, { at: new Date(0), done: true }]);
    assert.equal(await world.engine.expireDocuments(), 1);
    assert.equal(await sessions.countDocuments({}), 1);
  });

  test("a hidden index keeps its unique rule and is not to be hinted at", async () => {
    const users = fresh();
    await users.createIndex({ name: 1 }, { unique: true, hidden: true });
    await users.insertOne({ name: "a" });
    assert.equal(await codeOf(users.insertOne({ name: "a" })), 11_000);
    assert.equal(await codeOf(users.find({}).hint("name_1").toArray()), 2);
    const reply = await db.command({ collMod: users.collectionName, index: { name: "name_1", hidden: false } });
    assert.deepEqual([reply["hidden_old"], reply["hidden_new"]], [true, false]);
    assert.equal((await users.find({}).hint("name_1").toArray()).length, 1);
    assert.equal("hidden" in ((await users.indexes())[1] as object), false);
  });

  test("an index that is there is made again in silence, and one that contradicts it is refused with 85 or 86", async () => {
    const users = fresh();
    const create = (key: IndexSpecification, options: Document): Promise<unknown> =>
      codeOf(users.createIndex(key, options));
    assert.equal(await create({ a: 1 }, { name: "x" }), 0);
    assert.equal(await create({ a: 1 }, { name: "x" }), 0);
    assert.equal(await create({ b: 1 }, { name: "x" }), 86, "the name with another key");
    assert.equal(await create({ a: 1 }, { name: "x", unique: true }), 86, "the name with another rule");
    assert.equal(await create({ a: 1 }, { name: "x", expireAfterSeconds: 5 }), 85, "the name with another option");
    assert.equal(await create({ a: 1 }, { name: "y" }), 85, "the key with another name");
    assert.equal(await create({ a: 1 }, { name: "y", sparse: true }), 0, "a sparse one beside it");
    assert.equal(
      await create({ a: 1 }, { name: "z", partialFilterExpression: { b: 1 } }),
      0,
      "a partial one beside it",
    );
    assert.equal((await users.indexes()).length, 4);
  });

  test("what no index can be is refused with MongoDB's codes", async () => {
    const users = fresh();
    const cases: readonly (readonly [Document, Document, number])[] = [
      [{ a: 0 }, {}, 67],
      [{ a: "nothing" }, {}, 67],
      [{ "a..b": 1 }, {}, 67],
      [{ a: 1 }, { name: "*" }, 67],
      [{ a: 1, b: 1 }, { expireAfterSeconds: 5 }, 67],
      [{ a: 1 }, { expireAfterSeconds: -1 }, 67],
      [{ a: 1 }, { expireAfterSeconds: 2_147_483_648 }, 67],
      [{ a: 1 }, { sparse: true, partialFilterExpression: { a: 1 } }, 67],
      [{ a: 1 }, { partialFilterExpression: { a: /x/ } }, 67],
      [{ a: 1 }, { partialFilterExpression: { a: { $exists: false } } }, 67],
      [{ a: 1 }, { partialFilterExpression: { $nor: [{ a: 1 }] } }, 67],
      [{ a: 1 }, { unknownOption: 1 }, 197],
      [{ _id: 1 }, { name: "_id_", expireAfterSeconds: 5 }, 197],
      [{ a: "hashed", b: "hashed" }, {}, 31_303],
      [{ a: "text" }, {}, 238],
      [{ "$**": 1, a: 1 }, {}, 238],
      [Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, 1])), {}, 67],
    ];
    for (const [key, options, code] of cases) {
      const index = { key, name: Object.keys(key).join("_").slice(0, 20), ...options };
      const work = db.command({ createIndexes: users.collectionName, indexes: [index] });
      assert.equal(await codeOf(work), code, JSON.stringify(index));
    }
    const fields = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`f${n}`, 1]));
    assert.equal(await codeOf(users.createIndex(fields, { name: "many" })), 0);
    assert.equal(await codeOf(users.createIndex({ at: 1 }, { expireAfterSeconds: 2_147_483_647 })), 0);
  });

  test("an index becomes unique once nothing new is in the way, and then nothing old", async () => {
    const users = fresh();
    await users.insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 1 },
      { _id: 3, a: [2, 3] },
      { _id: 4, a: 3 },
      { _id: 5, a: 5 },
    ] as never[]);
    await users.createIndex({ a: 1 });
    const change = (index: Document): Promise<Document> =>
      db.command({ collMod: users.collectionName, index: { name: "a_1", ...index } });
    assert.equal(await codeOf(change({ unique: true })), 72);
    const { prepareUnique_old: before, prepareUnique_new: now } = await change({ prepareUnique: true });
    assert.deepEqual([before, now], [false, true]);
    assert.equal((await users.indexes())[1]?.["prepareUnique"], true);
    assert.equal(await codeOf(users.insertOne({ a: 5 })), 11_000);
    assert.equal(await codeOf(users.updateOne({ a: 5 }, { $set: { a: 1 } })), 11_000);
    // What is there already may be changed elsewhere.
    assert.equal(await codeOf(users.updateMany({ a: 1 }, { $set: { b: 1 } })), 0);
    await assert.rejects(change({ unique: true }), (error: MongoServerError) => {
      assert.equal(error.code, 359);
      assert.deepEqual(error.errorResponse["violations"], [{ ids: [1, 2] }, { ids: [3, 4] }]);
      return true;
    });
    await users.deleteMany({ _id: { $in: [2, 4] } } as never);
    assert.equal((await change({ unique: true }))["unique_new"], true);
    const [, index] = await users.indexes();
    assert.deepEqual(index, { v: 2, key: { a: 1 }, name: "a_1", unique: true });
    assert.equal(await codeOf(users.insertOne({ a: 1 })), 11_000);
    assert.equal(await codeOf(change({ unique: false })), 2);
  });

  test("of thousands of keys those that stand in the way of a unique index are found", async () => {
    const users = fresh();
    await users.insertMany(Array.from({ length: 2500 }, (_, n) => ({ _id: n, a: n === 1000 ? 999 : n })) as never[]);
    const index = { key: { a: 1 }, name: "a_1", prepareUnique: true };
    await db.command({ createIndexes: users.collectionName, indexes: [index] });
    const convert = db.command({ collMod: users.collectionName, index: { keyPattern: { a: 1 }, unique: true } });
    await assert.rejects(convert, (error: MongoServerError) => {
      assert.deepEqual(error.errorResponse["violations"], [{ ids: [999, 1000] }]);
      return true;
    });
  });

  test("a collection has 64 indexes and no more", async () => {
    const users = fresh();
    await users.createIndexes(Array.from({ length: 63 }, (_, n) => ({ key: { [`f${n}`]: 1 } })));
    assert.equal(await codeOf(users.createIndex({ more: 1 })), 67);
    assert.equal((await users.indexes()).length, 64);
  });

  test("options that no index has are ignored when asked for, and the quorum is taken", async () => {
    const users = fresh();
    await db.command({
      createIndexes: users.collectionName,
      indexes: [{ key: { a: 1 }, name: "a_1", dropDups: true }],
      ignoreUnknownIndexOptions: true,
      commitQuorum: "majority",
    });
    assert.deepEqual((await users.indexes())[1], { v: 2, key: { a: 1 }, name: "a_1" });
  });

  test("an index is dropped by its key, and the one of _id never", async () => {
    const users = fresh();
    await users.createIndex({ a: 1, b: -1 });
    const drop = (index: unknown): Promise<unknown> => codeOf(db.command({ dropIndexes: users.collectionName, index }));
    assert.equal(await drop({ a: 1 }), 27);
    assert.equal(await drop({ a: 1, b: -1 }), 0);
    assert.equal(await drop({ _id: 1 }), 72);
    assert.equal(await drop("_id_"), 72);
    assert.equal(await drop("nothing"), 27);
  });
});
