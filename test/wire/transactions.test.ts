import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ClientSession, type Document, type MongoClient, MongoServerError } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

interface Numbered extends Document {
  readonly _id: number;
  readonly n?: number;
}

const refusedWith =
  (code: number, label?: string) =>
  (error: unknown): boolean =>
    error instanceof MongoServerError && error.code === code && (label === undefined || error.hasErrorLabel(label));

describe("transactions through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  let next = 0;
  before(async () => {
    world = await startWireWorld();
    client = world.as("admin");
    await client.connect();
  });
  after(() => world.stop());

  type Collection = ReturnType<typeof collection>;
  const collection = (name: string): ReturnType<typeof typed> => typed(name);
  const typed = (name: string) => client.db("bank").collection<Numbered>(name);
  async function fresh(documents: readonly Numbered[] = []): Promise<Collection> {
    next += 1;
    const made = collection(`c${next}`);
    await client.db("bank").createCollection(`c${next}`);
    if (documents.length > 0) await made.insertMany([...documents]);
    return made;
  }
  async function inTransaction(work: (session: ClientSession) => Promise<void>): Promise<void> {
    await client.withSession(async (session) => {
      session.startTransaction();
      await work(session);
      if (session.inTransaction()) await session.abortTransaction();
    });
  }

  test("what a transaction writes it reads itself, others after its commit, in every kind of read", async () => {
    const accounts = await fresh([1, 2, 3, 4].map((_id) => ({ _id, n: _id * 10 })));
    await accounts.createIndex({ n: 1 });
    const before = await accounts.find({}).toArray();
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.insertOne({ _id: 5, n: 5 }, { session });
      await accounts.updateOne({ _id: 2 }, { $set: { n: 99 } }, { session });
      await accounts.updateMany({ n: { $lt: 11 } }, { $inc: { n: 1 } }, { session });
      await accounts.deleteOne({ n: 30 }, { session });
      const wanted = [
        { _id: 5, n: 6 },
        { _id: 1, n: 11 },
        { _id: 4, n: 40 },
        { _id: 2, n: 99 },
      ];
      const check = async (options: { session?: ClientSession }): Promise<void> => {
        assert.deepEqual(await accounts.find({}, options).sort({ n: 1 }).toArray(), wanted);
        assert.deepEqual(
          await accounts
            .find({ n: { $gte: 11 } }, options)
            .hint({ n: 1 })
            .toArray(),
          wanted.slice(1),
        );
        assert.deepEqual(
          await accounts.find({}, options).sort({ _id: -1 }).toArray(),
          wanted.toSorted((one, other) => other._id - one._id),
        );
        assert.equal((await accounts.find({}, { ...options, batchSize: 2 }).toArray()).length, 4);
        assert.equal(await accounts.countDocuments({ n: { $gt: 6 } }, options), 3);
        const distinct = await accounts.distinct("n", {}, options);
        assert.deepEqual(new Set(distinct), new Set([6, 11, 40, 99]));
        assert.deepEqual(
          await accounts.aggregate([{ $group: { _id: null, sum: { $sum: "$n" } } }], options).toArray(),
          [{ _id: null, sum: 156 }],
        );
      };
      await check({ session });
      assert.deepEqual(await accounts.find({}).toArray(), before);
      const returned = await accounts.findOneAndUpdate(
        { _id: 4 },
        { $set: { n: 41 } },
        { session, returnDocument: "after" },
      );
      assert.deepEqual(returned, { _id: 4, n: 41 });
      await accounts.updateOne({ _id: 4 }, { $set: { n: 40 } }, { session });
      await session.commitTransaction();
      await check({});
    });
  });

  test("an aborted transaction leaves nothing, and a transaction sees nothing of later writes", async () => {
    const accounts = await fresh([{ _id: 1, n: 1 }]);
    await inTransaction(async (session) => {
      assert.deepEqual(await accounts.find({}, { session }).toArray(), [{ _id: 1, n: 1 }]);
      await accounts.insertOne({ _id: 2 });
      assert.equal(await accounts.countDocuments({}, { session }), 1);
      await accounts.insertOne({ _id: 3 }, { session });
    });
    assert.deepEqual(
      (await accounts.find().toArray()).map(({ _id }) => _id),
      [1, 2],
    );
  });

  test("two transactions on one document: the second is told to try again", async () => {
    const accounts = await fresh([{ _id: 1, n: 1 }]);
    await inTransaction(async (one) => {
      await accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: one });
      await inTransaction(async (two) => {
        await assert.rejects(
          accounts.updateOne({ _id: 1 }, { $inc: { n: 10 } }, { session: two }),
          refusedWith(112, "TransientTransactionError"),
        );
      });
      await one.commitTransaction();
    });
    assert.deepEqual(await accounts.findOne({}), { _id: 1, n: 2 });
  });

  test("a document that changed since the transaction began cannot be written in it", async () => {
    const accounts = await fresh([{ _id: 1, n: 1 }]);
    await inTransaction(async (session) => {
      await accounts.findOne({}, { session });
      await accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } });
      await accounts.insertOne({ _id: 2 });
      await assert.rejects(
        accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session }),
        refusedWith(112, "TransientTransactionError"),
      );
      // What failed in it has ended it.
      await assert.rejects(accounts.findOne({}, { session }), refusedWith(251, "TransientTransactionError"));
    });
  });

  test("a write outside waits for the transaction that has the document, no longer than maxTimeMS", async () => {
    const accounts = await fresh([{ _id: 1, n: 1 }]);
    await inTransaction(async (session) => {
      await accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
      await assert.rejects(accounts.updateOne({ _id: 1 }, { $inc: { n: 100 } }, { maxTimeMS: 20 }), refusedWith(50));
      const waiting = accounts.updateOne({ _id: 1 }, { $inc: { n: 10 } });
      await accounts.insertOne({ _id: 2 });
      await session.commitTransaction();
      await waiting;
    });
    assert.deepEqual(await accounts.findOne({ _id: 1 }), { _id: 1, n: 12 });
  });

  test("withTransaction tries again until it goes through: transfers at once lose nothing", async () => {
    const accounts = await fresh([1, 2, 3].map((_id) => ({ _id, n: 100 })));
    await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        client.withSession((session) =>
          session.withTransaction(async () => {
            await accounts.updateOne({ _id: (index % 3) + 1 }, { $inc: { n: -1 } }, { session });
            await accounts.updateOne({ _id: ((index + 1) % 3) + 1 }, { $inc: { n: 1 } }, { session });
          }),
        ),
      ),
    );
    assert.deepEqual(
      (await accounts.find().toArray()).map(({ n }) => n),
      [100, 100, 100],
    );
  });

  test("a collection can be made in a transaction, by name or by a first document", async () => {
    const database = client.db("bank");
    await inTransaction(async (session) => {
      await database.createCollection("made", { session });
      await database.collection<Numbered>("made").insertOne({ _id: 1 }, { session });
      await collection("implied").insertMany([{ _id: 1 }, { _id: 2 }], { session });
      assert.equal((await collection("implied").find({}, { session }).sort({ _id: -1 }).toArray()).length, 2);
      assert.deepEqual(await database.listCollections({ name: { $in: ["made", "implied"] } }).toArray(), []);
      await session.commitTransaction();
    });
    assert.deepEqual([await collection("made").countDocuments(), await collection("implied").countDocuments()], [1, 2]);
  });

  test("a commit is one entry of the operation log, in the order of the writes", async () => {
    const accounts = await fresh([{ _id: 1, n: 1 }]);
    await inTransaction(async (session) => {
      await accounts.insertOne({ _id: 2 }, { session });
      await accounts.deleteOne({ _id: 1 }, { session });
      await session.commitTransaction();
    });
    const [entry] = await client.db("local").collection("oplog.rs").find().sort({ $natural: -1 }).limit(1).toArray();
    assert.deepEqual([entry?.op, entry?.ns], ["c", "admin.$cmd"]);
    const operations = ((entry as Document).o as { applyOps: Document[] }).applyOps;
    assert.deepEqual(
      operations.map(({ op, o }) => [op, o]),
      [
        ["i", { _id: 2 }],
        ["d", { _id: 1 }],
      ],
    );
    assert.ok(entry?.lsid !== undefined && entry.txnNumber !== undefined && entry.prevOpTime !== undefined);
  });

  test("a commit asked for again answers the same; an abort after it does not undo it", async () => {
    const accounts = await fresh();
    await client.withSession(async (session) => {
      session.startTransaction();
      await accounts.insertOne({ _id: 1 }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
      const { id } = session;
      const txnNumber = session.serverSession.txnNumber;
      const abort = { abortTransaction: 1, lsid: id, txnNumber, autocommit: false };
      await assert.rejects(raw(abort), refusedWith(256));
    });
    assert.equal(await accounts.countDocuments(), 1);
  });

  const raw = (command: Document): Promise<Document> => client.db("admin").command(command);

  for (const [name, command, code] of [
    ["count", { count: "c1" }, 263],
    ["listCollections", { listCollections: 1 }, 263],
    ["a write concern on a write", { insert: "c1", documents: [{}], writeConcern: { w: 1 } }, 72],
    ["$out", { aggregate: "c1", pipeline: [{ $out: "x" }], cursor: {} }, 263],
    ["read concern linearizable", { find: "c1", readConcern: { level: "linearizable" } }, 72],
  ] as const)
    test(`in a transaction ${name} is refused`, async () => {
      await inTransaction(async (session) => {
        await assert.rejects(client.db("bank").command({ ...command }, { session }), refusedWith(code));
      });
    });

  test("a bulk of several collections is part of its transaction, and one that fails ends it", async () => {
    const accounts = await fresh([{ _id: 1 }]);
    const bulk = (ids: readonly number[]): Document => ({
      bulkWrite: 1,
      ops: ids.map((_id) => ({ insert: 0, document: { _id } })),
      nsInfo: [{ ns: accounts.namespace }],
    });
    await inTransaction(async (session) => {
      await client.db("admin").command(bulk([2, 3]), { session });
      assert.equal(await accounts.countDocuments({}, { session }), 3);
      assert.equal(await accounts.countDocuments(), 1);
      await client.db("admin").command(bulk([1]), { session });
      await assert.rejects(accounts.findOne({}, { session }), refusedWith(251));
    });
    assert.equal(await accounts.countDocuments(), 1);
  });

  test("the end of a session ends its transaction and lets go of what it has", async () => {
    const accounts = await fresh([{ _id: 1, n: 1 }]);
    const session = client.startSession();
    session.startTransaction();
    await accounts.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
    const waiting = accounts.updateOne({ _id: 1 }, { $inc: { n: 10 } });
    await raw({ killSessions: [session.id] });
    await waiting;
    assert.deepEqual(await accounts.findOne({}), { _id: 1, n: 11 });
    await session.endSession();
  });
});
