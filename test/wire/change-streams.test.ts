import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type ChangeStream,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  type ChangeStreamUpdateDocument,
  type Collection,
  type Db,
  type Document,
  type MongoClient,
  MongoServerError,
  type ResumeToken,
  UUID,
} from "mongodb";
import fc from "fast-check";
import { refusedWith } from "../support/refused-with.ts";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("change streams through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  let count = 0;
  before(async () => {
    world = await startWireWorld({
      users: [
        databaseUser("shopReader", { roleName: "read", databaseName: "shop" }),
        databaseUser("everyReader", { roleName: "readAnyDatabase", databaseName: "admin" }),
      ],
    });
    client = world.as("admin");
  });
  after(() => world.stop());

  /** A collection of its own, there already. */
  async function fresh(database = "shop"): Promise<Collection> {
    count += 1;
    return client.db(database).createCollection(`watched${count}`);
  }

  /** A stream that has begun: what is written from now on is seen. */
  async function begun(
    target: MongoClient | Db | Collection,
    options: ChangeStreamOptions = {},
    pipeline: Document[] = [],
  ): Promise<ChangeStream> {
    const stream: ChangeStream = target.watch(pipeline, { maxAwaitTimeMS: 20, ...options });
    assert.equal(await stream.tryNext(), null);
    return stream;
  }

  /** The next events, without what is of the moment. */
  async function next(stream: ChangeStream, wanted: number): Promise<Document[]> {
    const events: Document[] = [];
    while (events.length < wanted) {
      const { _id, clusterTime, wallTime, collectionUUID, ...rest } = (await stream.next()) as Document;
      assert.match(_id["_data"] as string, /^[0-9A-F]+$/);
      assert.ok(clusterTime !== undefined && wallTime instanceof Date);
      if (collectionUUID !== undefined) assert.ok(collectionUUID instanceof UUID);
      events.push(rest);
    }
    return events;
  }

  test("what is done to documents is told with the fields of the manual", async () => {
    const collection = await fresh();
    const ns = { db: "shop", coll: collection.collectionName };
    const stream = await begun(collection);
    await collection.insertOne({ _id: 1, a: { b: 1, c: 1 }, list: [1, 2, 3], gone: true } as Document);
    await collection.updateOne({}, { $set: { "a.b": 2, "list.1": 9, added: null }, $unset: { gone: 1 } });
    await collection.updateOne({}, [{ $set: { list: { $slice: ["$list", 1] } } }]);
    await collection.replaceOne({}, { a: 5 });
    await collection.deleteOne({});
    const documentKey = { _id: 1 };
    assert.deepEqual(await next(stream, 5), [
      {
        operationType: "insert",
        fullDocument: { _id: 1, a: { b: 1, c: 1 }, list: [1, 2, 3], gone: true },
        ns,
        documentKey,
      },
      {
        operationType: "update",
        ns,
        documentKey,
        updateDescription: {
          updatedFields: { added: null, "a.b": 2, "list.1": 9 },
          removedFields: ["gone"],
          truncatedArrays: [],
        },
      },
      {
        operationType: "update",
        ns,
        documentKey,
        updateDescription: {
          updatedFields: {},
          removedFields: [],
          truncatedArrays: [{ field: "list", newSize: 1 }],
        },
      },
      { operationType: "replace", fullDocument: { _id: 1, a: 5 }, ns, documentKey },
      { operationType: "delete", ns, documentKey },
    ]);
    await stream.close();
  });

  test("with updateLookup an update comes with the document as it is now, or null once it is gone", async () => {
    const collection = await fresh();
    await collection.insertMany([{ _id: 1 }, { _id: 2 }] as Document[]);
    const stream = await begun(collection, { fullDocument: "updateLookup" });
    await collection.updateMany({}, { $set: { a: 1 } });
    await collection.updateOne({ _id: 1 } as Document, { $set: { b: 1 } });
    await collection.deleteOne({ _id: 2 } as Document);
    const shown = (await next(stream, 3)).map(({ fullDocument }) => fullDocument as unknown);
    assert.deepEqual(shown, [{ _id: 1, a: 1, b: 1 }, null, { _id: 1, a: 1, b: 1 }]);
    await stream.close();
  });

  test("without images a stream shows null where they may be missing, and fails with 47 where they must not", async () => {
    const collection = await fresh();
    await collection.insertOne({ _id: 1 } as Document);
    const images = { fullDocument: "whenAvailable", fullDocumentBeforeChange: "whenAvailable" } as const;
    const stream = await begun(collection, images);
    const strict = await begun(collection, { fullDocumentBeforeChange: "required" });
    await collection.updateOne({}, { $set: { a: 1 } });
    const [update] = await next(stream, 1);
    assert.deepEqual([update?.["fullDocument"], update?.["fullDocumentBeforeChange"]], [null, null]);
    await assert.rejects(strict.next(), refusedWith(47));
    await stream.close();
  });

  test("the events, applied one after the other, make what the collection holds, and each is a place to go on at", async () => {
    const collection = await fresh();
    const key = fc.integer({ min: 0, max: 3 });
    const field = fc.constantFrom("a", "b.c", "b.0", "list.0", "list.2");
    const change = fc.oneof(
      fc.record({
        kind: fc.constant("put" as const),
        key,
        list: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
      }),
      fc.record({ kind: fc.constant("set" as const), key, field, value: fc.integer() }),
      fc.record({ kind: fc.constant("unset" as const), key, field }),
      fc.record({ kind: fc.constant("push" as const), key, value: fc.integer() }),
      fc.record({ kind: fc.constant("pull" as const), key, value: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant("delete" as const), key }),
    );
    type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;
    const perform = async (one: Change, options: object): Promise<void> => {
      const filter = { _id: one.key } as Document;
      if (one.kind === "put")
        await collection.replaceOne(filter, { list: one.list, b: {} }, { ...options, upsert: true });
      else if (one.kind === "set") await collection.updateOne(filter, { $set: { [one.field]: one.value } }, options);
      else if (one.kind === "unset") await collection.updateOne(filter, { $unset: { [one.field]: 1 } }, options);
      else if (one.kind === "push")
        await collection.updateOne(filter, { $push: { list: one.value } as Document }, options);
      else if (one.kind === "pull")
        await collection.updateOne(filter, { $pull: { list: one.value } as Document }, options);
      else await collection.deleteOne(filter, options);
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.array(change, { maxLength: 4 })), { maxLength: 6 }),
        async (steps) => {
          await collection.deleteMany({});
          const stream = await begun(collection, { maxAwaitTimeMS: 1 });
          for (const [together, changes] of steps) {
            if (!together) {
              for (const one of changes) await perform(one, {}).catch(tolerated);
              continue;
            }
            await client
              .withSession((session) =>
                session.withTransaction(async () => {
                  for (const one of changes) await perform(one, { session });
                }),
              )
              .catch(tolerated);
          }
          const events = await drained(stream);
          const model = new Map<number, Document>();
          for (const event of events) apply(model, event);
          const held = await collection.find().sort({ _id: 1 }).toArray();
          assert.deepEqual(
            [...model.values()].toSorted((one, other) => one["_id"] - other["_id"]),
            held,
          );
          const index = events.length >> 1;
          if (events.length === 0) return;
          const again = collection.watch([], { resumeAfter: events[index]?._id as ResumeToken, maxAwaitTimeMS: 1 });
          assert.deepEqual(await drained(again), events.slice(index + 1));
        },
      ),
      { numRuns: 25 },
    );
  });

  /** Paths through what is no document are refused by the update itself. */
  function tolerated(error: unknown): void {
    if (!(error instanceof MongoServerError)) throw error;
  }

  async function drained(stream: ChangeStream): Promise<ChangeStreamDocument[]> {
    const events: ChangeStreamDocument[] = [];
    for (;;) {
      const event = (await stream.tryNext()) as ChangeStreamDocument | null;
      if (event === null) break;
      events.push(event);
    }
    await stream.close();
    return events;
  }

  function apply(model: Map<number, Document>, event: ChangeStreamDocument): void {
    const { documentKey } = event as ChangeStreamUpdateDocument;
    const key = documentKey._id as unknown as number;
    if (event.operationType === "delete") model.delete(key);
    else if (event.operationType === "insert" || event.operationType === "replace")
      model.set(key, structuredClone(event.fullDocument));
    else {
      const { updatedFields, removedFields, truncatedArrays } = (event as ChangeStreamUpdateDocument).updateDescription;
      const document = model.get(key) as Document;
      for (const { field, newSize } of truncatedArrays ?? [])
        (placeOf(document, field)[0][placeOf(document, field)[1]] as unknown[]).length = newSize;
      for (const path of removedFields ?? []) delete placeOf(document, path)[0][placeOf(document, path)[1]];
      for (const [path, value] of Object.entries(updatedFields ?? {}))
        placeOf(document, path)[0][placeOf(document, path)[1]] = structuredClone(value as unknown);
    }
  }

  function placeOf(document: Document, path: string): [Document, string] {
    const steps = path.split(".");
    const last = steps.pop() as string;
    return [steps.reduce((place, step) => place[step] as Document, document), last];
  }

  test("a transaction's events come together, with its session and number, once it commits", async () => {
    const collection = await fresh();
    const stream = await begun(collection);
    await client.withSession(async (session) => {
      session.startTransaction();
      await collection.insertOne({ _id: 1 } as Document, { session });
      assert.equal(await stream.tryNext(), null);
      await collection.insertOne({ _id: 2 } as Document, { session });
      await session.commitTransaction();
      const events = await next(stream, 2);
      assert.deepEqual(
        events.map(({ documentKey }) => documentKey as unknown),
        [{ _id: 1 }, { _id: 2 }],
      );
      for (const { lsid, txnNumber } of events) {
        assert.equal(String(lsid.id), String(new UUID(session.id?.id.buffer)));
        assert.equal(Number(txnNumber), Number(session.serverSession.txnNumber));
      }
    });
    await stream.close();
  });

  test("a stream ends with its collection, and another can start after the end but not resume from it", async () => {
    const collection = await fresh();
    const stream = await begun(collection);
    await collection.drop();
    assert.deepEqual((await next(stream, 1))[0]?.["operationType"], "drop");
    const end = await stream.next();
    assert.equal(end.operationType, "invalidate");
    assert.ok(stream.closed || (await stream.tryNext().catch(() => null)) === null);
    await assert.rejects(collection.watch([], { resumeAfter: end._id }).tryNext(), refusedWith(260));
    const further = await begun(collection, { startAfter: end._id });
    await collection.insertOne({ _id: 1 } as Document);
    assert.equal((await next(further, 1))[0]?.["operationType"], "insert");
    await further.close();
  });

  test("a rename ends the streams of both names, and one on the database goes on", async () => {
    const [collection, target] = [await fresh("renames"), await fresh("renames")];
    const streams = [await begun(collection), await begun(target)];
    const whole = await begun(client.db("renames"));
    await collection.rename(target.collectionName, { dropTarget: true });
    await target.insertOne({ _id: 1 } as Document);
    const renamed = {
      operationType: "rename",
      ns: { db: "renames", coll: collection.collectionName },
      to: { db: "renames", coll: target.collectionName },
    };
    for (const stream of streams) {
      assert.deepEqual(await next(stream, 1), [renamed]);
      assert.equal((await stream.next()).operationType, "invalidate");
      await stream.close();
    }
    const [first, second] = await next(whole, 2);
    assert.deepEqual([first, second?.["operationType"]], [renamed, "insert"]);
    await whole.close();
  });

  test("a database's end is told to whoever watches it, and does not end a stream of all of them", async () => {
    await fresh("shortLived");
    const own = await begun(client.db("shortLived"));
    const every = await begun(world.as("everyReader"));
    await client.db("shortLived").dropDatabase();
    await world
      .as("admin")
      .db("other")
      .collection("c")
      .insertOne({ _id: 1 } as Document);
    const types = (events: Document[]): unknown => events.map(({ operationType }) => operationType as unknown);
    assert.deepEqual(types(await next(own, 3)), ["drop", "dropDatabase", "invalidate"]);
    assert.deepEqual(types(await next(every, 3)), ["drop", "dropDatabase", "insert"]);
    await own.close();
    await every.close();
  });

  test("more of what happens to collections is told when it is asked for", async () => {
    const database = client.db("expanded");
    await database.createCollection("first");
    const stream = await begun(database, { showExpandedEvents: true });
    const quiet = await begun(database);
    const collection = await database.createCollection("second");
    await collection.createIndex({ a: 1 });
    await collection.dropIndex("a_1");
    await database.command({ collMod: "second", validationLevel: "moderate" });
    await database.createCollection("seen", { viewOn: "second", pipeline: [] });
    await database.dropCollection("seen");
    await collection.drop();
    const types = (await next(stream, 7)).map(({ operationType }) => operationType as unknown);
    assert.deepEqual(types, ["create", "createIndexes", "dropIndexes", "modify", "create", "drop", "drop"]);
    assert.deepEqual((await next(quiet, 1))[0]?.["operationType"], "drop");
    await stream.close();
    await quiet.close();
  });

  test("stages choose and change events but must leave them their tokens", async () => {
    const collection = await fresh();
    const stream = await begun(collection, {}, [
      { $match: { "fullDocument.n": { $gt: 1 } } },
      { $project: { n: "$fullDocument.n" } },
    ]);
    await collection.insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const seen = [await stream.next(), await stream.next()] as unknown as Document[];
    assert.deepEqual(
      seen.map(({ n }) => n as unknown),
      [2, 3],
    );
    await stream.close();
    const broken = await begun(collection, {}, [{ $project: { _id: 0 } }]);
    await collection.insertOne({ n: 4 });
    await assert.rejects(broken.next(), (error) => /resume token/.test((error as Error).message));
  });

  test("a stream that cannot be is refused with MongoDB's codes", async () => {
    const run = (database: string, collection: string | 1, stage: object, ...more: object[]): Promise<Document> =>
      client.db(database).command({ aggregate: collection, pipeline: [{ $changeStream: stage }, ...more], cursor: {} });
    await client.db("shop").createCollection("seen", { viewOn: "watched1", pipeline: [] });
    await assert.rejects(run("shop", "seen", {}), refusedWith(166));
    await assert.rejects(run("admin", 1, {}), refusedWith(73));
    await assert.rejects(run("local", "oplog.rs", {}), refusedWith(73));
    await assert.rejects(run("shop", 1, { allChangesForCluster: true }), refusedWith(72));
    await assert.rejects(run("shop", "c", { unheard: 1 }), refusedWith(40_415));
    await assert.rejects(run("shop", "c", { fullDocument: "some" }), refusedWith(2));
    await assert.rejects(run("shop", "c", { resumeAfter: { _data: 5 } }), refusedWith(40_647));
    await assert.rejects(run("shop", "c", { resumeAfter: { _data: "zz" } }), refusedWith(9));
    await assert.rejects(run("shop", "c", { resumeAfter: { _data: "8264" } }), refusedWith(260));
    await assert.rejects(run("shop", "c", {}, { $group: { _id: 1 } }), refusedWith(20));
    await assert.rejects(run("shop", "c", {}, { $unheardOf: {} }), refusedWith(40_324));
    const local = { aggregate: "c", pipeline: [{ $changeStream: {} }], cursor: {}, readConcern: { level: "local" } };
    await assert.rejects(client.db("shop").command(local), refusedWith(72));
    await client.withSession(async (session) => {
      session.startTransaction();
      const watching = { aggregate: "c", pipeline: [{ $changeStream: {} }], cursor: {} };
      await assert.rejects(client.db("shop").command(watching, { session }), refusedWith(263));
    });
  });

  test("nobody watches what they may not read", async () => {
    const reader = world.as("shopReader");
    await begun(reader.db("shop")).then((stream) => stream.close());
    await assert.rejects(reader.db("secrets").watch().tryNext(), refusedWith(13));
    await assert.rejects(reader.db("secrets").collection("c").watch().tryNext(), refusedWith(13));
    await assert.rejects(reader.watch().tryNext(), refusedWith(13));
  });

  test("a stream goes on behind what was last read when its connection is lost", async () => {
    const collection = await fresh();
    const stream = await begun(collection);
    await collection.insertOne({ _id: 1 } as Document);
    assert.equal((await next(stream, 1)).length, 1);
    world.listener.closeConnections("as a test wants it");
    await world
      .as("admin")
      .db("shop")
      .collection(collection.collectionName)
      .insertOne({ _id: 2 } as Document);
    assert.deepEqual((await next(stream, 1))[0]?.["documentKey"], { _id: 2 });
    await stream.close();
  });
});
