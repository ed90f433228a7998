import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, MongoServerError } from "mongodb";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

const code =
  (wanted: number) =>
  (error: unknown): boolean =>
    error instanceof MongoServerError && error.code === wanted;

interface Order {
  readonly _id: number;
  readonly [field: string]: unknown;
}

describe("entries of an operation log, applied", () => {
  let world: WireWorld;
  const apply = (entries: readonly Document[], user = "admin"): Promise<Document> =>
    world.as(user).db("admin").command({ applyOps: entries });
  before(async () => {
    world = await startWireWorld({ users: [databaseUser("shopper", { roleName: "readWrite", databaseName: "shop" })] });
  });
  after(() => world.stop());

  test("from the server's own log make the same documents again, also when they are applied twice", async () => {
    const admin = world.as("admin");
    const orders = admin.db("shop").collection<Order>("orders");
    await orders.insertMany([{ _id: 1, a: 1, b: { c: [1, 2] } }, { _id: 2 }, { _id: 3, a: 3 }]);
    await orders.updateOne({ _id: 1 }, { $set: { "b.c.1": 5, z: 1, y: 2 }, $unset: { a: "" } });
    await orders.replaceOne({ _id: 3 }, { other: true });
    await orders.deleteOne({ _id: 2 });
    await orders.createIndex({ z: 1 });
    const log = await admin
      .db("local")
      .collection("oplog.rs")
      .find({ ns: { $in: ["shop.orders", "shop.$cmd"] } })
      .toArray();
    const expected = await orders.find().sort({ _id: 1 }).toArray();
    await admin.db("shop").dropDatabase();
    for (let times = 0; times < 2; times += 1) {
      const { applied, ok } = await apply(log);
      assert.deepEqual([applied, ok], [log.length, 1]);
      assert.deepEqual(await orders.find().sort({ _id: 1 }).toArray(), expected);
    }
    assert.deepEqual(
      (await orders.indexes()).map(({ name }) => name),
      ["_id_", "z_1"],
    );
  });

  test("of commands and transactions make the same collections and indexes again, also when applied twice", async () => {
    const admin = world.as("admin");
    const log = admin.db("local").collection("oplog.rs");
    const [before] = await log.find().sort({ $natural: -1 }).limit(1).toArray();
    const database = admin.db("moved");
    const first = database.collection<Order>("first");
    await first.insertMany(Array.from({ length: 8 }, (_, _id) => ({ _id, filling: "x".repeat(1000) })));
    await first.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }, { key: { c: 1 } }]);
    await first.dropIndex("a_1");
    await database.command({ collMod: "first", index: { name: "b_1", hidden: true }, validator: { n: { $ne: 5 } } });
    await first.rename("second");
    await database
      .collection<Order>("ring")
      .insertMany(Array.from({ length: 8 }, (_, _id) => ({ _id, a: "x".repeat(1000) })));
    await database.command({ convertToCapped: "ring", size: 5000 });
    await admin.withSession((session) =>
      session.withTransaction(async () => {
        await database.collection<Order>("third").createIndex({ n: 1 }, { session });
        await database.collection<Order>("third").insertOne({ _id: 1 }, { session });
      }),
    );
    const entries = await log.find({ ts: { $gt: before?.["ts"] } }).toArray();
    const state = async (): Promise<unknown> => {
      const found = await database.listCollections().toArray();
      const names = found.map(({ name }) => name).toSorted();
      return Promise.all(
        names.map(async (name) => [
          name,
          (found.find((one) => one.name === name) as Document)["options"],
          await database.collection(name).indexes(),
          await database.collection(name).find().toArray(),
        ]),
      );
    };
    const expected = await state();
    await database.dropDatabase();
    for (let times = 0; times < 2; times += 1) {
      await apply(entries);
      assert.deepEqual(await state(), expected);
    }
  });

  test("change nothing where there is nothing any more", async () => {
    await apply([
      { op: "u", ns: "shop.gone", o2: { _id: 1 }, o: { $v: 2, diff: { u: { a: 1 } } } },
      { op: "d", ns: "shop.gone", o: { _id: 1 } },
      { op: "n", ns: "", o: { msg: "periodic noop" } },
    ]);
    assert.equal(await world.as("admin").db("shop").collection("gone").countDocuments(), 0);
  });

  test("need the rights that their writes need", async () => {
    await apply([{ op: "i", ns: "shop.mine", o: { _id: 1 } }], "shopper");
    await assert.rejects(apply([{ op: "i", ns: "other.theirs", o: { _id: 1 } }], "shopper"), code(13));
    await assert.rejects(apply([{ op: "c", ns: "shop.$cmd", o: { dropDatabase: 1 } }], "shopper"), code(13));
  });

  test("that are none are refused", async () => {
    await assert.rejects(apply([{ op: "x", ns: "shop.a", o: {} }]), code(2));
    await assert.rejects(apply([{ ns: "shop.a", o: {} }]), code(9));
    await assert.rejects(apply([{ op: "i", ns: "shop.a", o: { a: 1 } }]), code(4));
    await assert.rejects(apply([{ op: "c", ns: "shop.$cmd", o: { importCollection: "a" } }]), code(238));
    await assert.rejects(apply([{ op: "u", ns: "shop.mine", o2: { _id: 1 }, o: { $v: 1 } }]), code(9));
  });
});
