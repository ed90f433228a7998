import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ClientSession, type Db, type Document, type MongoClient, MongoServerError } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

interface Numbered extends Document {
  readonly _id: number;
}

const refusedWith =
  (code: number, words?: RegExp) =>
  (error: unknown): boolean =>
    error instanceof MongoServerError && error.code === code && (words?.test(error.message) ?? true);

describe("collections and indexes made in a transaction", () => {
  let world: WireWorld;
  let client: MongoClient;
  let database: Db;
  before(async () => {
    world = await startWireWorld();
    client = world.as("admin");
    await client.connect();
    database = client.db("shop");
  });
  after(() => world.stop());

  const named = (name: string) => database.collection<Numbered>(name);
  async function inTransaction(work: (session: ClientSession) => Promise<void>): Promise<void> {
    await client.withSession(async (session) => {
      session.startTransaction();
      await work(session);
      if (session.inTransaction()) await session.abortTransaction();
    });
  }
  const indexNames = async (name: string): Promise<string[]> =>
    (await named(name).listIndexes().toArray()).map((index) => String(index.name));
  const collections = async (name: string): Promise<number> =>
    (await database.listCollections({ name }).toArray()).length;

  test("hold inside at once, outside after the commit, and are told in one entry of the operation log", async () => {
    await inTransaction(async (session) => {
      await database.createCollection("made", { session });
      await named("made").createIndex({ n: 1 }, { unique: true, session });
      await named("made").insertMany(
        [
          { _id: 1, n: 5 },
          { _id: 2, n: 4 },
        ],
        { session },
      );
      const found = await named("made").find({}, { session }).sort({ n: 1 }).hint("n_1").toArray();
      assert.deepEqual(
        found.map(({ _id }) => _id),
        [2, 1],
      );
      assert.equal(await collections("made"), 0);
      await session.commitTransaction();
    });
    assert.deepEqual(await indexNames("made"), ["_id_", "n_1"]);
    await assert.rejects(named("made").insertOne({ _id: 3, n: 5 }), refusedWith(11_000));
    const plan = await named("made").find({ n: 4 }).explain("queryPlanner");
    assert.equal(plan.queryPlanner.winningPlan.inputStage.indexName, "n_1");
    const [entry] = await client.db("local").collection("oplog.rs").find().sort({ $natural: -1 }).limit(1).toArray();
    const operations = ((entry as Document).o as { applyOps: Document[] }).applyOps;
    assert.deepEqual(
      operations.map(({ op, ns }) => [op, ns]),
      [
        ["c", "shop.$cmd"],
        ["c", "shop.$cmd"],
        ["i", "shop.made"],
        ["i", "shop.made"],
      ],
    );
    assert.deepEqual(operations[0]?.o, { create: "made", idIndex: { v: 2, key: { _id: 1 }, name: "_id_" } });
    assert.deepEqual(operations[1]?.o, { createIndexes: "made", v: 2, key: { n: 1 }, name: "n_1", unique: true });
    assert.deepEqual(operations[1]?.ui, operations[0]?.ui);
  });

  test("are gone with an abort", async () => {
    await inTransaction(async (session) => {
      await named("aborted").createIndex({ n: 1 }, { session });
      await named("aborted").insertOne({ _id: 1, n: 1 }, { session });
    });
    assert.equal(await collections("aborted"), 0);
  });

  test("an index makes its collection, and is kept right through what was written before it and after", async () => {
    await inTransaction(async (session) => {
      await database.createCollection("filled", { session });
      await named("filled").insertOne({ _id: 1, n: 1 }, { session });
      await named("filled").deleteOne({ _id: 1 }, { session });
      const reply = await database.command(
        { createIndexes: "filled", indexes: [{ key: { n: 1 }, name: "n_1" }] },
        { session },
      );
      assert.deepEqual([reply.numIndexesBefore, reply.numIndexesAfter], [1, 2]);
      await named("filled").insertOne({ _id: 2, n: [1, 2] }, { session });
      const implied = await database.command(
        { createIndexes: "implied", indexes: [{ key: { n: 1 }, name: "n_1" }] },
        { session },
      );
      assert.equal(implied.createdCollectionAutomatically, true);
      await session.commitTransaction();
    });
    assert.equal((await named("filled").find({ n: 2 }).hint("n_1").toArray()).length, 1);
    const report = await database.command({ validate: "filled" });
    assert.deepEqual([report.valid, report.nrecords], [true, 1]);
    assert.deepEqual(await indexNames("implied"), ["_id_", "n_1"]);
  });

  test("a collection of the same name made outside meanwhile is a write conflict", async () => {
    await inTransaction(async (session) => {
      await named("taken").createIndex({ n: 1 }, { session });
      await database.createCollection("taken");
      await assert.rejects(session.commitTransaction(), refusedWith(112));
    });
    assert.deepEqual(await indexNames("taken"), ["_id_"]);
  });

  test("indexes are made on nothing that was there before or holds documents; one that is there is answered so", async () => {
    await named("old").createIndex({ n: 1 });
    await inTransaction(async (session) => {
      assert.equal(await named("old").createIndex({ n: 1 }, { session }), "n_1");
      await assert.rejects(named("old").createIndex({ m: 1 }, { session }), refusedWith(263, /existing collection/));
    });
    await inTransaction(async (session) => {
      await named("new").insertOne({ _id: 1 }, { session });
      await assert.rejects(named("new").createIndex({ n: 1 }, { session }), refusedWith(263, /non-empty/));
    });
    assert.equal(await collections("new"), 0);
  });

  for (const [what, command, code] of [
    ["listIndexes", { listIndexes: "old" }, 263],
    ["listCollections", { listCollections: 1 }, 263],
    ["dropIndexes", { dropIndexes: "old", index: "n_1" }, 263],
    ["drop", { drop: "old" }, 263],
    ["a view", { create: "view", viewOn: "old" }, 263],
    ["killCursors as the first command", { killCursors: "old", cursors: [] }, 263],
    ["a collection of the server's own", { create: "system.x" }, 50_791],
  ] as const)
    test(`${what} is refused in a transaction`, async () => {
      await inTransaction(async (session) => {
        await assert.rejects(database.command({ ...command }, { session }), refusedWith(code));
      });
    });

  test("a capped collection may be made, and not written to", async () => {
    await inTransaction(async (session) => {
      await database.createCollection("ring", { capped: true, size: 4096, session });
      await session.commitTransaction();
    });
    await inTransaction(async (session) => {
      await assert.rejects(named("ring").insertOne({ _id: 1 }, { session }), refusedWith(263, /capped/));
    });
    await named("ring").insertOne({ _id: 1 });
  });
});
