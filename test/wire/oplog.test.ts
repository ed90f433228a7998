import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, Long, type MongoClient } from "mongodb";
import { refusedWith } from "../support/refused-with.ts";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("the operation log through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  before(async () => {
    world = await startWireWorld({
      users: [
        databaseUser("backup", { roleName: "backup", databaseName: "admin" }),
        databaseUser("monitor", { roleName: "clusterMonitor", databaseName: "admin" }),
        databaseUser("reader", { roleName: "readAnyDatabase", databaseName: "admin" }),
        databaseUser("writer", { roleName: "readWriteAnyDatabase", databaseName: "admin" }),
        databaseUser("local", { roleName: "read", databaseName: "local" }),
      ],
    });
    client = world.as("admin");
  });
  after(() => world.stop());
  const orders = (): ReturnType<ReturnType<MongoClient["db"]>["collection"]> => client.db("shop").collection("orders");

  test("a tailable cursor that awaits data gives what is written while it waits", async () => {
    await orders().insertOne({ n: 0 });
    const tail = client
      .db("local")
      .collection("oplog.rs")
      .find({ ns: "shop.orders" }, { tailable: true, awaitData: true, maxAwaitTimeMS: 30_000, oplogReplay: true });
    const seen: Document[] = [];
    for (let n = 0; n < 3; n += 1) {
      const next = tail.next();
      if (n > 0) await orders().insertOne({ n });
      seen.push((await next) as Document);
    }
    assert.deepEqual(
      seen.map(({ o }) => (o as Document).n as unknown),
      [0, 1, 2],
    );
    await tail.close();
  });

  test("a cursor killed while it waits answers at once", async () => {
    const local = client.db("local");
    const { cursor } = await local.command({
      find: "oplog.rs",
      filter: { ns: "none" },
      tailable: true,
      awaitData: true,
    });
    const waiting = local.command({ getMore: cursor.id as Long, collection: "oplog.rs", maxTimeMS: 60_000 });
    const killed = assert.rejects(waiting, refusedWith(237));
    await local.command({ killCursors: "oplog.rs", cursors: [cursor.id] });
    await killed;
  });

  test("the wait ends after maxTimeMS with an empty batch and an open cursor", async () => {
    const local = client.db("local");
    const { cursor } = await local.command({
      find: "oplog.rs",
      filter: { ns: "none" },
      tailable: true,
      awaitData: true,
    });
    const more = await local.command({ getMore: cursor.id as Long, collection: "oplog.rs", maxTimeMS: 5 });
    assert.deepEqual(more.cursor.nextBatch, []);
    assert.ok(Long.fromValue(more.cursor.id as Long).equals(cursor.id as Long));
    await local.command({ killCursors: "oplog.rs", cursors: [cursor.id] });
  });

  for (const [flags, code] of [
    [{ awaitData: true }, 9],
    [{ tailable: true, singleBatch: true }, 9],
    [{ tailable: true, sort: { ts: 1 } }, 2],
  ] as const)
    test(`a find with ${JSON.stringify(flags)} is refused`, async () => {
      await assert.rejects(client.db("local").command({ find: "oplog.rs", ...flags }), refusedWith(code));
    });

  test("what asks for the newest entry is told it, and statistics say that it is capped", async () => {
    const log = client.db("local").collection("oplog.rs");
    const [newest] = await log.find().sort({ $natural: -1 }).limit(1).toArray();
    const hello = await client.db("admin").command({ hello: 1 });
    assert.ok(newest !== undefined && newest.ts.lessThanOrEqual(hello.lastWrite.opTime.ts));
    const [listed] = await client.db("local").listCollections({ name: "oplog.rs" }).toArray();
    assert.equal((listed as { options?: Document }).options?.capped, true);
    const statistics = await client.db("local").command({ collStats: "oplog.rs" });
    assert.deepEqual([statistics.capped, statistics.nindexes], [true, 0]);
    assert.equal(await log.countDocuments({ ts: { $gte: newest.ts } }), 1);
  });

  for (const [user, allowed] of [
    ["backup", true],
    ["monitor", true],
    ["local", true],
    ["reader", false],
    ["writer", false],
  ] as const)
    test(`the user ${user} ${allowed ? "may" : "may not"} read it`, async () => {
      const read = world.as(user).db("local").collection("oplog.rs").findOne({});
      if (allowed) assert.notEqual(await read, null);
      else await assert.rejects(read, refusedWith(13));
    });

  test("not even who may do everything writes to it", async () => {
    await assert.rejects(client.db("local").collection("oplog.rs").insertOne({}), refusedWith(73));
    await assert.rejects(client.db("local").dropDatabase(), refusedWith(73));
  });
});
