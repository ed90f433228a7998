import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Db, type Document, type FindCursor, type FindOptions, type MongoClient } from "mongodb";
import { refusedWith } from "../support/refused-with.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

interface Numbered extends Document {
  readonly _id: number;
}

describe("capped collections through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  let database: Db;
  let next = 0;
  before(async () => {
    world = await startWireWorld();
    client = world.as("admin");
    await client.connect();
    database = client.db("logs");
  });
  after(() => world.stop());

  type Ring = Awaited<ReturnType<typeof ring>>;
  async function ring(ids: readonly number[], max: number = 1000) {
    next += 1;
    await database.createCollection(`ring${next}`, { capped: true, size: 100_000, max });
    const made = database.collection<Numbered>(`ring${next}`);
    if (ids.length > 0) await made.insertMany(ids.map((_id) => ({ _id })));
    return made;
  }
  const tail = (from: Ring, options: FindOptions = {}): FindCursor<Numbered> =>
    from.find({}, { tailable: true, awaitData: true, maxAwaitTimeMS: 20_000, ...options }) as FindCursor<Numbered>;
  async function idsOf(cursor: FindCursor<Numbered>, count: number): Promise<(number | undefined)[]> {
    const ids = [];
    for (let read = 0; read < count; read += 1) ids.push((await cursor.next())?._id);
    return ids;
  }

  test("a tailable cursor gives what is there, and what is inserted later as soon as it is", async () => {
    const events = await ring([1, 2, 3]);
    const cursor = tail(events, { batchSize: 2 });
    assert.deepEqual(await idsOf(cursor, 3), [1, 2, 3]);
    const waiting = idsOf(cursor, 2);
    await events.insertOne({ _id: 4 });
    await events.insertOne({ _id: 5 });
    assert.deepEqual(await waiting, [4, 5]);
    await cursor.close();
  });

  test("without awaitData an answer may have nothing, and the cursor stays", async () => {
    const events = await ring([1]);
    const run = (command: Document): Promise<Document> => database.command(command);
    const { cursor } = await run({ find: events.collectionName, tailable: true });
    const more = async (): Promise<Document> =>
      (await run({ getMore: cursor.id, collection: events.collectionName }))["cursor"] as Document;
    assert.deepEqual([(await more())["nextBatch"], (await more())["id"]], [[], cursor.id]);
    await events.insertOne({ _id: 2 });
    assert.deepEqual((await more())["nextBatch"], [{ _id: 2 }]);
  });

  test("conditions, a projection, skip and limit hold for what comes, too", async () => {
    const events = await ring([1, 2, 3]);
    const cursor = events.find(
      { _id: { $gt: 1 } },
      { tailable: true, awaitData: true, projection: { n: "$_id", _id: 0 }, skip: 1, limit: 2 },
    );
    assert.deepEqual(await cursor.next(), { n: 3 });
    await events.insertMany([{ _id: 0 }, { _id: 4 }, { _id: 5 }]);
    assert.deepEqual(await cursor.next(), { n: 4 });
    assert.equal(await cursor.next(), null);
  });

  test("a cursor on an empty capped collection is over at once", async () => {
    const { collectionName } = await ring([]);
    for (const batchSize of [0, 1])
      assert.equal(
        Number((await database.command({ find: collectionName, tailable: true, batchSize }))["cursor"].id),
        0,
      );
  });

  test("who is so slow that its place was overwritten is told", async () => {
    const events = await ring([1, 2], 2);
    const cursor = tail(events);
    assert.deepEqual(await idsOf(cursor, 2), [1, 2]);
    await events.insertMany([{ _id: 3 }, { _id: 4 }]);
    await assert.rejects(cursor.next(), refusedWith(136));
  });

  test("so is one whose place was deleted, though the next document might have had it", async () => {
    const events = await ring([1, 2]);
    const cursor = tail(events);
    assert.deepEqual(await idsOf(cursor, 2), [1, 2]);
    await events.deleteOne({ _id: 2 });
    await events.insertOne({ _id: 2, again: true });
    await assert.rejects(cursor.next(), refusedWith(136));
  });

  test("a cursor whose collection is dropped ends with an error", async () => {
    const events = await ring([1]);
    const cursor = tail(events);
    await cursor.next();
    const waiting = assert.rejects(cursor.next(), refusedWith(175));
    await events.drop();
    await waiting;
  });

  test("only capped collections are tailed, in their own order", async () => {
    await database.collection("plain").insertOne({});
    const refused = async (command: Document): Promise<void> =>
      assert.rejects(database.command({ ...command, tailable: true }), refusedWith(2));
    await refused({ find: "plain" });
    const { collectionName } = await ring([1]);
    await refused({ find: collectionName, sort: { _id: 1 } });
    await refused({ find: collectionName, sort: { $natural: -1 } });
    await refused({ find: collectionName, hint: { _id: 1 } });
    await refused({ find: collectionName, hint: { $natural: -1 } });
    const { cursor } = await database.command({ find: collectionName, tailable: true, sort: { $natural: 1 } });
    assert.notEqual(Number(cursor.id), 0);
  });

  test("convertToCapped keeps the newest documents that fit, in their order, and no index", async () => {
    const orders = database.collection<Numbered>("orders");
    await orders.createIndex({ n: 1 });
    await orders.insertMany(Array.from({ length: 20 }, (_, _id) => ({ _id, filling: "x".repeat(980) })));
    await database.command({ convertToCapped: "orders", size: 5000 });
    const [entry] = await database.listCollections({ name: "orders" }).toArray();
    assert.deepEqual((entry as Document)["options"], { capped: true, size: 5120 });
    assert.deepEqual(
      (await orders.find().toArray()).map(({ _id }) => _id),
      [15, 16, 17, 18, 19],
    );
    assert.deepEqual(
      (await orders.indexes()).map(({ name }) => name),
      ["_id_"],
    );
    await orders.insertOne({ _id: 20, filling: "x".repeat(980) });
    assert.equal(await orders.countDocuments(), 5);
    const report = await database.command({ validate: "orders" });
    assert.deepEqual([report["valid"], report["nrecords"]], [true, 5]);
    assert.deepEqual(await database.listCollections({ name: /^tmp/ }).toArray(), []);
  });

  test("convertToCapped of what cannot be is refused, and leaves it as it was", async () => {
    await database.createCollection("shown", { viewOn: "plain" });
    const refused = async (command: Document, code: number): Promise<void> =>
      assert.rejects(database.command(command), refusedWith(code));
    await refused({ convertToCapped: "nothing", size: 5000 }, 26);
    await refused({ convertToCapped: "shown", size: 5000 }, 166);
    await refused({ convertToCapped: "plain", size: 0 }, 72);
    await refused({ convertToCapped: "plain" }, 72);
    assert.equal(await database.collection("plain").countDocuments(), 1);
  });
});
