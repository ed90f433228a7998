import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type ChangeStream,
  type ChangeStreamOptions,
  type Collection,
  type CollectionInfo,
  type Document,
  type MongoClient,
} from "mongodb";
import { refusedWith } from "../support/refused-with.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const images = { fullDocument: "required", fullDocumentBeforeChange: "required" } as const;
const splitting = [{ $changeStreamSplitLargeEvent: {} }];

describe("images of documents in change streams, through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  let count = 0;
  before(async () => {
    world = await startWireWorld();
    client = world.as("admin");
  });
  after(() => world.stop());

  function fresh(enabled = true): Promise<Collection> {
    count += 1;
    return client.db("shop").createCollection(`imaged${count}`, { changeStreamPreAndPostImages: { enabled } });
  }

  async function begun(
    target: Collection,
    options: ChangeStreamOptions = images,
    pipeline: Document[] = [],
  ): Promise<ChangeStream> {
    const stream: ChangeStream = target.watch(pipeline, { maxAwaitTimeMS: 20, ...options });
    assert.equal(await stream.tryNext(), null);
    return stream;
  }

  async function shown(stream: ChangeStream, wanted: number): Promise<Document[]> {
    const found: Document[] = [];
    while (found.length < wanted) {
      const { operationType, fullDocument, fullDocumentBeforeChange } = (await stream.next()) as Document;
      found.push([operationType, fullDocumentBeforeChange, fullDocument]);
    }
    await stream.close();
    return found;
  }

  const changeAll = async (collection: Collection, options: object): Promise<void> => {
    const one = { _id: 1 } as Document;
    await collection.insertOne({ _id: 1, a: { b: 1 }, list: [1, 2, 3] } as Document, options);
    await collection.updateOne(one, { $set: { "a.b": 2 }, $pop: { list: 1 }, $unset: { gone: 1 } }, options);
    await collection.findOneAndUpdate(one, [{ $set: { c: "$a.b" } }], options);
    await collection.replaceOne(one, { d: 1 }, options);
    await collection.deleteOne(one, options);
  };
  const told = [
    ["insert", undefined, { _id: 1, a: { b: 1 }, list: [1, 2, 3] }],
    ["update", { _id: 1, a: { b: 1 }, list: [1, 2, 3] }, { _id: 1, a: { b: 2 }, list: [1, 2] }],
    ["update", { _id: 1, a: { b: 2 }, list: [1, 2] }, { _id: 1, a: { b: 2 }, list: [1, 2], c: 2 }],
    ["replace", { _id: 1, a: { b: 2 }, list: [1, 2], c: 2 }, { _id: 1, d: 1 }],
    ["delete", { _id: 1, d: 1 }, undefined],
  ];

  test("every change comes with the document right before and right after it, whatever came later", async () => {
    const collection = await fresh();
    const stream = await begun(collection);
    await changeAll(collection, {});
    assert.deepEqual(await shown(stream, 5), told);
  });

  test("the same in a transaction", async () => {
    const collection = await fresh();
    const stream = await begun(collection);
    await client.withSession((session) => session.withTransaction(() => changeAll(collection, { session })));
    assert.deepEqual(await shown(stream, 5), told);
  });

  test("a change keeps its images when they are switched off later, the name is another's or the collection is gone", async () => {
    const collection = await fresh();
    const stream = await begun(collection, { ...images, maxAwaitTimeMS: 20 });
    const name = collection.collectionName;
    await collection.insertOne({ _id: 1 } as Document);
    await collection.updateOne({}, { $set: { a: 1 } });
    await client.db("shop").command({ collMod: name, changeStreamPreAndPostImages: { enabled: false } });
    await collection.drop();
    assert.deepEqual((await shown(stream, 2))[1], ["update", { _id: 1 }, { _id: 1, a: 1 }]);
  });

  test("collMod switches them on and off, and lists of collections tell", async () => {
    const collection = await fresh(false);
    const name = collection.collectionName;
    const database = client.db("shop");
    const options = async (): Promise<unknown> =>
      ((await database.listCollections({ name }).next()) as CollectionInfo).options;
    assert.deepEqual(await options(), {});
    await database.command({ collMod: name, changeStreamPreAndPostImages: { enabled: true } });
    assert.deepEqual(await options(), { changeStreamPreAndPostImages: { enabled: true } });
    await database.command({ collMod: name, changeStreamPreAndPostImages: { enabled: false } });
    assert.deepEqual(await options(), {});
    const stream = await begun(collection);
    await collection.insertOne({ _id: 1 } as Document);
    await stream.next();
    await collection.updateOne({}, { $set: { a: 1 } });
    await assert.rejects(stream.next(), refusedWith(47));
  });

  test("what cannot be switched on is refused with MongoDB's codes", async () => {
    const create = (database: string, value: unknown, more: object = {}): Promise<unknown> =>
      client.db(database).command({ create: "refused", changeStreamPreAndPostImages: value, ...more });
    await assert.rejects(create("shop", true), refusedWith(14));
    await assert.rejects(create("shop", {}), refusedWith(40_414));
    await assert.rejects(create("shop", { enabled: 1 }), refusedWith(14));
    await assert.rejects(create("shop", { enabled: true, some: 1 }), refusedWith(40_415));
    await assert.rejects(create("admin", { enabled: true }), refusedWith(72));
    await assert.rejects(create("shop", { enabled: true }, { viewOn: "c" }), refusedWith(72));
    await client.db("shop").createCollection("seen", { viewOn: "c" });
    const view = { collMod: "seen", changeStreamPreAndPostImages: { enabled: true } };
    await assert.rejects(client.db("shop").command(view), refusedWith(72));
  });

  const large = (letter: string, mebibytes: number): string => letter.repeat(mebibytes * 1024 * 1024);

  test("an event of more than 16 MB fails a stream, and comes in fragments where it is to be split, each a place to go on at", async () => {
    const collection = await fresh();
    const whole = await begun(collection);
    const split = await begun(collection, images, splitting);
    await collection.insertOne({ _id: 1, text: large("a", 9) } as Document);
    assert.equal((await whole.next()).operationType, "insert");
    await collection.replaceOne({}, { text: large("b", 9) });
    await collection.insertOne({ _id: 2 } as Document);
    await assert.rejects(whole.next(), refusedWith(10_334));

    const events: Document[] = [];
    while (events.length < 4) events.push((await split.next()) as unknown as Document);
    await split.close();
    const [insert, first, second, last] = events;
    assert.equal(insert?.["splitEvent"], undefined);
    assert.deepEqual(
      [first?.["splitEvent"], second?.["splitEvent"]],
      [1, 2].map((fragment) => ({ fragment, of: 2 })),
    );
    assert.equal(first?.["operationType"], "replace");
    const { _id, splitEvent, ...rest } = { ...first, ...second } as Document;
    assert.deepEqual(
      [rest["fullDocument"].text, rest["fullDocumentBeforeChange"].text].map((text: string) => text.slice(-1)),
      ["b", "a"],
    );
    assert.ok(_id !== undefined && splitEvent !== undefined && !("fullDocumentBeforeChange" in (first as Document)));
    assert.deepEqual(last?.["documentKey"], { _id: 2 });

    const behind = async (event: Document | undefined): Promise<unknown[]> => {
      const stream = collection.watch(splitting, { ...images, resumeAfter: event?.["_id"], maxAwaitTimeMS: 20 });
      const found: unknown[] = [];
      for (let next = await stream.tryNext(); next !== null; next = await stream.tryNext()) found.push(next._id);
      await stream.close();
      return found;
    };
    const ids = events.map((event) => event["_id"] as unknown);
    assert.deepEqual(await behind(insert), ids.slice(1));
    assert.deepEqual(await behind(first), ids.slice(2));
    assert.deepEqual(await behind(second), ids.slice(3));
    const unsplit = collection.watch([], { ...images, resumeAfter: first?.["_id"] });
    await assert.rejects(unsplit.tryNext(), refusedWith(280));
  });

  test("an event with the largest document there can be is not too large", async () => {
    const collection = await fresh();
    const stream = await begun(collection);
    const frame = 4 + (1 + 4 + 4) + (1 + 5 + 4 + 1) + 1;
    await collection.insertOne({ _id: 1, text: "a".repeat(16 * 1024 * 1024 - frame) } as Document);
    assert.equal((await stream.next()).operationType, "insert");
    await stream.close();
  });

  test("the stage that splits stands last, is empty and belongs to a stream", async () => {
    const run = (...pipeline: object[]): Promise<Document> =>
      client.db("shop").command({ aggregate: "c", pipeline, cursor: {} });
    await assert.rejects(run({ $changeStream: {} }, ...splitting, { $match: {} }), refusedWith(7_182_802));
    await assert.rejects(run({ $changeStream: {} }, ...splitting, ...splitting), refusedWith(7_182_802));
    await assert.rejects(run({ $changeStream: {} }, { $changeStreamSplitLargeEvent: 1 }), refusedWith(7_182_800));
    await assert.rejects(run(...splitting), refusedWith(20));
  });
});
