import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Collection, Db, Document } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const caseless = { locale: "en", strength: 2 } as const;

describe("collation through the driver", () => {
  let world: WireWorld;
  let db: Db;
  before(async () => {
    world = await startWireWorld();
    db = world.as("admin").db("shop");
  });
  after(() => world.stop());

  async function filled(name: string, options: Document = {}): Promise<Collection<Document>> {
    const collection = await db.createCollection<Document>(name, options);
    await collection.insertMany(["b", "A", "a", "C"].map((t, n) => ({ _id: n as never, t })));
    return collection;
  }

  test("reads and writes compare by the collation of the command", async () => {
    const people = await filled("people");
    await people.createIndex({ t: 1 });
    assert.equal(await people.countDocuments({ t: "a" }), 1);
    assert.equal(await people.countDocuments({ t: "a" }, { collation: caseless }), 2);
    assert.equal((await people.find({ t: "a" }, { collation: caseless }).toArray()).length, 2);
    assert.deepEqual(
      (await people.find({}, { collation: caseless }).sort({ t: 1, _id: -1 }).toArray()).map(({ t }) => t),
      ["a", "A", "b", "C"],
    );
    assert.deepEqual(await people.distinct("t", {}, { collation: caseless }), ["b", "A", "C"]);
    assert.equal((await db.command({ count: "people", query: { t: { $lte: "A" } }, collation: caseless }))["n"], 2);
    assert.equal((await people.updateMany({ t: "A" }, { $set: { n: 1 } }, { collation: caseless })).modifiedCount, 2);
    assert.equal(
      (
        await people.findOneAndUpdate({ t: "c" }, { $set: { n: 2 } }, { collation: caseless, returnDocument: "after" })
      )?.["n"],
      2,
    );
    assert.equal((await people.deleteMany({ t: "B" }, { collation: caseless })).deletedCount, 1);
  });

  test("pipelines compare by it in every stage", async () => {
    const people = await filled("pipelines");
    const groups = await people
      .aggregate([{ $match: { t: { $ne: "B" } } }, { $group: { _id: "$t", n: { $sum: 1 } } }, { $sort: { _id: 1 } }], {
        collation: caseless,
      })
      .toArray();
    assert.deepEqual(groups, [
      { _id: "A", n: 2 },
      { _id: "C", n: 1 },
    ]);
    assert.equal(
      (await people.aggregate([{ $match: { $expr: { $eq: ["$t", "c"] } } }], { collation: caseless }).toArray()).length,
      1,
    );
  });

  test("a collection's own collation holds where none is given, is listed, and is inherited by its indexes", async () => {
    const people = await filled("caseless", { collation: caseless });
    assert.equal(await people.countDocuments({ t: "A" }), 2);
    assert.equal(await people.countDocuments({ t: "A" }, { collation: { locale: "simple" } }), 1);
    await people.createIndex({ t: 1 });
    assert.equal(await people.countDocuments({ t: "A" }), 2, "with an index");
    const [listed] = await db.listCollections({ name: "caseless" }).toArray();
    const options = listed as { options?: { collation?: Document } } | undefined;
    assert.equal(options?.options?.collation?.["strength"], 2);
    assert.equal((await people.indexes()).find(({ name }) => name === "t_1")?.["collation"]?.locale, "en");
  });

  test("an unknown locale and an unknown field are refused", async () => {
    const people = db.collection("people");
    const code = (collation: Document): Promise<unknown> =>
      people
        .find({}, { collation: collation as never })
        .toArray()
        .catch((error: { code: number }) => error.code);
    assert.equal(await code({ locale: "xx_nowhere" }), 2);
    assert.equal(await code({ locale: "en", strong: 1 }), 40_415);
    assert.equal(await code({ strength: 1 }), 40_414);
  });
});
