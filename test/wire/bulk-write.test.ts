import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, Long, type MongoClient, type MongoClientBulkWriteError } from "mongodb";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("writing to several collections by one command", () => {
  let world: WireWorld;
  let client: MongoClient;

  before(async () => {
    world = await startWireWorld({
      users: [databaseUser("clerk", { roleName: "readWrite", databaseName: "shop" })],
    });
    client = await world.as("admin").connect();
  });
  after(() => world.stop());

  const bulk = (ops: readonly Document[], more: Document = {}, user: MongoClient = client): Promise<Document> =>
    user.db("admin").command({ bulkWrite: 1, ops, nsInfo: [{ ns: "shop.orders" }, { ns: "store.items" }], ...more });
  const orders = (): Promise<Document[]> =>
    client.db("shop").collection("orders").find({}).sort({ _id: 1 }).toArray() as Promise<Document[]>;
  const empty = (): Promise<unknown> =>
    Promise.all([client.db("shop").collection("orders").deleteMany({}), client.db("store").dropDatabase()]);

  test("the driver's bulkWrite inserts, changes and deletes, and tells of each", async () => {
    await empty();
    const result = await client.bulkWrite(
      [
        { namespace: "shop.orders", name: "insertOne", document: { _id: 1 as never, x: 1 } },
        { namespace: "store.items", name: "insertOne", document: { _id: 1 as never } },
        { namespace: "shop.orders", name: "updateOne", filter: { _id: 1 as never }, update: { $inc: { x: 1 } } },
        {
          namespace: "shop.orders",
          name: "replaceOne",
          filter: { _id: 7 as never },
          replacement: { y: 1 },
          upsert: true,
        },
        { namespace: "shop.orders", name: "updateMany", filter: {}, update: [{ $set: { z: 1 } }] },
        { namespace: "store.items", name: "deleteOne", filter: { _id: 1 as never } },
      ],
      { verboseResults: true },
    );
    assert.deepEqual(
      [result.insertedCount, result.matchedCount, result.modifiedCount, result.upsertedCount, result.deletedCount],
      [2, 3, 3, 1, 1],
    );
    assert.equal(result.updateResults?.get(3)?.upsertedId, 7);
    assert.deepEqual(await orders(), [
      { _id: 1, x: 2, z: 1 },
      { _id: 7, y: 1, z: 1 },
    ]);
  });

  test("ordered, it stops at the first failure and keeps what went before; unordered, it goes on", async () => {
    for (const ordered of [true, false]) {
      await empty();
      const one = { namespace: "shop.orders", name: "insertOne", document: { _id: 1 as never } } as const;
      const two = { ...one, document: { _id: 2 as never } };
      await assert.rejects(client.bulkWrite([one, one, two], { ordered }), (error: MongoClientBulkWriteError) => {
        assert.deepEqual([...error.writeErrors.keys()], [1]);
        assert.equal(error.writeErrors.get(1)?.code, 11_000);
        return true;
      });
      assert.equal((await orders()).length, ordered ? 1 : 2);
    }
  });

  test("only errors are told of when only they are asked for, with the key that was there", async () => {
    await empty();
    const insert = { insert: 0, document: { _id: 1 } };
    const reply = await bulk([insert, insert], { errorsOnly: true, ordered: false });
    assert.deepEqual([reply["nErrors"], reply["nInserted"]], [1, 1]);
    const [only, ...others] = reply["cursor"].firstBatch;
    assert.deepEqual(others, []);
    assert.deepEqual([only.ok, only.idx, only.code, only.n, only.keyValue], [0, 1, 11_000, 0, { _id: 1 }]);
  });

  test("results come by a cursor in as many pieces as wished", async () => {
    await empty();
    const ops = Array.from({ length: 5 }, (_, _id) => ({ insert: 0, document: { _id } }));
    const session = client.startSession();
    const admin = client.db("admin");
    const command = { bulkWrite: 1, ops, nsInfo: [{ ns: "shop.orders" }], cursor: { batchSize: 2 } };
    const { cursor } = await admin.command(command, { session });
    assert.deepEqual([cursor.firstBatch.length, cursor.ns], [2, "admin.$cmd.bulkWrite"]);
    const more = await admin.command(
      { getMore: Long.fromBigInt(BigInt(cursor.id)), collection: "$cmd.bulkWrite" },
      { session },
    );
    assert.deepEqual(
      more["cursor"].nextBatch.map(({ idx }: Document) => idx),
      [2, 3, 4],
    );
    await session.endSession();
  });

  test("sent again with the same number it changes nothing and answers the same", async () => {
    await empty();
    await bulk([{ insert: 0, document: { _id: 1, x: 0 } }]);
    const session = client.startSession();
    const send = async (): Promise<Document> =>
      client.db("admin").command(
        {
          bulkWrite: 1,
          ops: [{ update: 0, filter: { _id: 1 }, updateMods: { $inc: { x: 1 } } }],
          nsInfo: [{ ns: "shop.orders" }],
          // Sessions come from a pool, and their earlier writes had small numbers.
          txnNumber: Long.fromNumber(1000),
        },
        { session },
      );
    const first = await send();
    const again = await send();
    assert.deepEqual([again["nModified"], again["cursor"]], [first["nModified"], first["cursor"]]);
    assert.deepEqual(await orders(), [{ _id: 1, x: 1 }]);
    await session.endSession();
  });

  test("who may not write to one of the collections writes to none", async () => {
    await empty();
    const clerk = await world.as("clerk").connect();
    const ops = [{ insert: 0, document: { _id: 1 } }];
    await assert.rejects(bulk(ops, {}, clerk), { code: 13 });
    assert.deepEqual(await orders(), []);
    await clerk.db("admin").command({ bulkWrite: 1, ops, nsInfo: [{ ns: "shop.orders" }] });
    assert.equal((await orders()).length, 1);
  });

  test("100,000 operations go in at once", async () => {
    await empty();
    const ops = Array.from({ length: 100_000 }, (_, _id) => ({ insert: 0, document: { _id } }));
    const reply = await bulk(ops, { errorsOnly: true });
    assert.deepEqual([reply["nInserted"], reply["nErrors"], reply["cursor"].firstBatch], [100_000, 0, []]);
    assert.equal(await client.db("shop").collection("orders").countDocuments(), 100_000);
  });

  test("what is no bulk write is refused as a whole, and so is one of more than 100,000 operations", async () => {
    await empty();
    const insert = { insert: 0, document: {} };
    for (const [ops, more, code] of [
      [[], {}, 16],
      [[insert, { insert: 2, document: {} }], {}, 2],
      [[insert, { replace: 0 }], {}, 40_415],
      [[insert, { insert: 0 }], {}, 40_414],
      [[insert, { delete: 0, filter: {}, limit: 1 }], {}, 40_415],
      [[insert, { update: 0, filter: {}, updateMods: 3 }], {}, 9],
      [[insert], { nsInfo: [{ ns: "shop" }] }, 73],
      [[insert], { other: 1 }, 40_415],
      [Array.from({ length: 100_001 }, () => ({ insert: 0, document: {} })), {}, 16],
    ] as const)
      await assert.rejects(bulk(ops, more), { code });
    assert.deepEqual(await orders(), []);
    await assert.rejects(client.db("shop").command({ bulkWrite: 1, ops: [insert], nsInfo: [{ ns: "shop.orders" }] }), {
      code: 13,
    });
  });
});
