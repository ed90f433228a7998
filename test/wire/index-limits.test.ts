import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, Double, Int32, Long, type MongoClient, MongoServerError } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

interface Numbered extends Document {
  readonly _id: number;
}

describe("find by the keys of an index, through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  before(async () => {
    world = await startWireWorld();
    client = await world.as("admin").connect();
    const things = collection();
    await things.createIndexes([
      { key: { a: 1 } },
      { key: { a: -1 }, name: "down" },
      { key: { a: 1, b: -1 }, name: "both" },
      { key: { list: 1 } },
      { key: { word: 1 }, collation: { locale: "en", strength: 2 }, name: "folded" },
      { key: { a: "hashed" }, name: "hashed" },
    ]);
    await things.insertMany([1, 2, 3, 4, 5].map((_id) => ({ _id, a: _id * 10, b: _id % 2, list: [_id, _id + 5] })));
  });
  after(() => world.stop());

  const collection = () => client.db("shop").collection<Numbered>("things");
  async function ids(find: Document, options: Document = {}): Promise<number[]> {
    const reply = await client.db("shop").command({ find: "things", ...find }, options);
    return (reply["cursor"].firstBatch as Numbered[]).map(({ _id }) => _id);
  }
  const refused = (command: Document, code: number): Promise<void> =>
    assert.rejects(
      client.db("shop").command(command),
      (error) => error instanceof MongoServerError && error.code === code,
    );

  test("min is the first key and max the first that is too much, in the order of the index", async () => {
    assert.deepEqual(await ids({ hint: { a: 1 }, min: { a: 20 }, max: { a: 40 } }), [2, 3]);
    assert.deepEqual(await ids({ hint: "a_1", min: { a: 25 } }), [3, 4, 5]);
    assert.deepEqual(await ids({ hint: { a: 1 }, max: { a: 20 } }), [1]);
    assert.deepEqual(await ids({ hint: "down", min: { a: 40 }, max: { a: 20 } }), [4, 3]);
    assert.deepEqual(await ids({ hint: { _id: 1 }, min: { _id: 2 }, max: { _id: 4 } }), [2, 3]);
    assert.deepEqual(await ids({ hint: "both", min: { a: 20, b: 0 }, max: { a: 30, b: 1 } }), [2]);
    assert.deepEqual(await ids({ hint: "both", min: { a: 20, b: 0 }, max: { a: 30, b: 0 } }), [2, 3]);
  });

  test("conditions, order, skip and limit hold as well, and each document comes once", async () => {
    const within = { hint: { a: 1 }, min: { a: 20 }, max: { a: 60 } };
    assert.deepEqual(await ids({ ...within, filter: { b: 1 } }), [3, 5]);
    assert.deepEqual(await ids({ ...within, sort: { a: -1 }, limit: 2 }), [5, 4]);
    assert.deepEqual(await ids({ ...within, sort: { b: 1, _id: -1 }, skip: 1 }), [2, 5, 3]);
    assert.deepEqual(
      (await ids({ hint: { list: 1 }, min: { list: 3 }, max: { list: 8 } })).toSorted(),
      [1, 2, 3, 4, 5],
    );
  });

  test("min and max belong to a hinted index and go from a smaller key to a larger", async () => {
    await refused({ find: "things", min: { a: 1 } }, 51_173);
    await refused({ find: "things", hint: { $natural: 1 }, min: { a: 1 } }, 51_174);
    await refused({ find: "things", hint: { a: 1 }, min: { b: 1 } }, 51_174);
    await refused({ find: "things", hint: "both", min: { a: 1 } }, 51_174);
    await refused({ find: "things", hint: "both", min: { b: 1, a: 1 } }, 51_174);
    await refused({ find: "things", hint: { a: 1 }, min: { a: 2 }, max: { a: 2 } }, 51_175);
    await refused({ find: "things", hint: "down", min: { a: 1 }, max: { a: 2 } }, 51_175);
    await refused({ find: "things", hint: { a: 1 }, min: { a: 1 }, max: { b: 2 } }, 51_176);
    await refused({ find: "things", hint: "folded", min: { word: "a" } }, 51_174);
    await refused(
      { find: "things", hint: "folded", min: { word: "a" }, collation: { locale: "en", strength: 2 } },
      238,
    );
    await refused({ find: "things", hint: "hashed", min: { a: 1 } }, 238);
    assert.deepEqual(await ids({ hint: { a: 1 }, min: {}, max: {} }), [1, 2, 3, 4, 5]);
  });

  test("returnKey answers the key that a document was found by, with its types, and nothing where there was none", async () => {
    const typed = client.db("shop").collection<Document>("typed");
    await typed.createIndex({ n: 1, "in.m": -1 });
    await typed.insertMany([
      { _id: 1 as never, n: new Double(1), in: { m: Long.fromNumber(7) } },
      { _id: 2 as never, n: new Int32(2), in: [{ m: "x" }, { m: null }] },
      { _id: 3 as never, n: [] },
    ]);
    const keys = async (find: Document): Promise<Document[]> =>
      (await client.db("shop").command({ find: "typed", returnKey: true, ...find }, { promoteValues: false }))["cursor"]
        .firstBatch;
    assert.deepEqual(await keys({ filter: { n: { $gte: 1 } } }), [
      { n: new Double(1), "in.m": Long.fromNumber(7) },
      { n: new Int32(2), "in.m": "x" },
    ]);
    assert.deepEqual(await keys({ filter: { n: 2, "in.m": null } }), [{ n: new Int32(2), "in.m": null }]);
    assert.deepEqual(await keys({ filter: { _id: 1 } }), [{ _id: new Int32(1) }]);
    assert.deepEqual(await keys({ filter: { missing: null } }), [{}, {}, {}]);
    const sorted = await keys({ filter: { n: { $gte: 1 } }, sort: { missing: 1, n: -1 }, projection: { n: 0 } });
    assert.deepEqual(
      sorted.map(({ n }) => Number(n)),
      [2, 1],
    );
  });

  test("showRecordId adds a number that a document keeps, also where the projection hides it", async () => {
    const numbered = client.db("shop").collection<Numbered>("numbered");
    await numbered.insertMany([{ _id: 1, a: 1 }, { _id: 2 }, { _id: 3 }]);
    await numbered.deleteOne({ _id: 2 });
    const shown = await numbered.find({}, { showRecordId: true, projection: { _id: 0 }, sort: { _id: -1 } }).toArray();
    assert.deepEqual(shown, [{ $recordId: 3 }, { a: 1, $recordId: 1 }]);
    await numbered.updateOne({ _id: 1 }, { $set: { a: "longer than before" } });
    const [first] = await numbered.find({ _id: 1 }, { showRecordId: true }).toArray();
    assert.equal(first?.["$recordId"], 1);
    const [newest] = await client
      .db("local")
      .collection("oplog.rs")
      .find({}, { showRecordId: true, promoteValues: false })
      .sort({ $natural: -1 })
      .limit(1)
      .toArray();
    assert.equal(String(newest?.["$recordId"]), String(newest?.["ts"] as Long | undefined));
    await client.withSession(async (session) => {
      session.startTransaction();
      await numbered.insertOne({ _id: 9 }, { session });
      assert.equal((await numbered.find({ _id: 3 }, { session, showRecordId: true }).toArray())[0]?.["$recordId"], 3);
      await assert.rejects(numbered.find({ _id: 9 }, { session, showRecordId: true }).toArray(), { code: 238 });
    });
  });

  test("a view has neither", async () => {
    await client.db("shop").createCollection("shown", { viewOn: "things", pipeline: [] });
    for (const option of [{ returnKey: true }, { showRecordId: true }, { min: { a: 1 }, hint: { a: 1 } }])
      for (const command of [{ find: "shown", ...option }, { explain: { find: "shown", ...option } }])
        if (!("explain" in command) || !("showRecordId" in option)) await refused(command, 168);
  });

  test("explain tells of the range and of keys being answered", async () => {
    const command = { find: "things", hint: { a: 1 }, min: { a: 20 }, returnKey: true };
    const { queryPlanner, executionStats } = await client.db("shop").command({ explain: command });
    const { stage, inputStage } = queryPlanner.winningPlan;
    assert.deepEqual([stage, inputStage.stage, inputStage.inputStage.stage], ["RETURN_KEY", "FETCH", "IXSCAN"]);
    const { startKey, startKeyInclusive, endKeyInclusive } = inputStage.inputStage.indexBounds;
    assert.deepEqual([startKey, startKeyInclusive, endKeyInclusive], [{ a: 20 }, true, true]);
    assert.equal(executionStats.nReturned, 4);
  });
});
