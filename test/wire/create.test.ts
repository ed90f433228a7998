import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Db, type Document, MongoServerError } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const taken = (error: unknown): boolean => error instanceof MongoServerError && error.code === 48;

describe("create, through the driver", () => {
  let world: WireWorld;
  let database: Db;
  before(async () => {
    world = await startWireWorld();
    database = world.as("admin").db("shop");
  });
  after(() => world.stop());

  test("what is there is made again in silence with the same options, in whatever order and of whatever type of number", async () => {
    const kinds: Document[] = [
      {},
      { validator: { a: { $gt: 1 } }, validationLevel: "moderate" },
      { capped: true, size: 8192 },
      { collation: { locale: "en", strength: 2 } },
      { clusteredIndex: { key: { _id: 1 }, unique: true } },
      { viewOn: "kind0", pipeline: [{ $match: {} }] },
    ];
    for (const [index, options] of kinds.entries()) {
      const name = `kind${index}`;
      await database.command({ create: name, ...options });
      await database.command({ create: name, ...Object.fromEntries(Object.entries(options).toReversed()) });
      await assert.rejects(database.command({ create: name, validator: { b: 1 } }), taken, name);
    }
    const sources = world.engine.listCollections("shop", { signal: new AbortController().signal });
    assert.equal((await sources).length, kinds.length);
  });

  test("documents and indexes of what is made again stay", async () => {
    const collection = database.collection("kept");
    await collection.insertOne({ a: 1 });
    await collection.createIndex({ a: 1 });
    await database.createCollection("kept");
    assert.deepEqual([await collection.countDocuments(), (await collection.indexes()).length], [1, 2]);
  });

  test("in a transaction it is refused, and ends it", async () => {
    await database.createCollection("twice");
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await assert.rejects(database.createCollection("twice", { session }), taken);
      await session.abortTransaction();
    });
  });
});
