import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BSON, type Document, Double, MongoClient } from "mongodb";
import { insertRaw } from "../src/adapters/source-mongodb/raw-insert.ts";
import { type ExternalWorld, startExternalWorld } from "./support/external-world.ts";

/** `{_id: 7, "2": 1, "1": 2, a: 1, a: 2, z: -0.0}`: what no object of a programming language holds. */
const odd = Buffer.from(
  "3c000000" +
    "105f6964000700000010320001000000103100020000001061000100000010610002000000017a000000000000000080" +
    "026e000100000000" +
    "00",
  "hex",
);

describe("a restore into a deployment that runs elsewhere", () => {
  let here: ExternalWorld;
  let elsewhere: ExternalWorld;
  let source: MongoClient;
  let target: MongoClient;
  let snapshotId: string;
  before(async () => {
    odd.writeInt32LE(odd.length, 0);
    elsewhere = await startExternalWorld("29340-29379", "--enable-test-commands", "on");
    here = await startExternalWorld("29380-29399");
    source = await attach("Source");
    target = await attach("Target");
    await fill(source);
    const snapshot = await here.snapshot("Source");
    assert.equal(snapshot["status"], "completed", JSON.stringify(snapshot));
    snapshotId = snapshot["id"] as string;
  });
  after(async () => {
    await source?.close();
    await target?.close();
    await here?.stop();
    await elsewhere?.stop();
  });

  async function attach(name: string): Promise<MongoClient> {
    const connectionString = await elsewhere.instance(name);
    const { status, body } = await here.call("POST", "", { name, connectionString });
    assert.equal(status, 201, JSON.stringify(body));
    return new MongoClient(connectionString).connect();
  }
  const restore = (more: Document = {}): Promise<Document> =>
    here.restore("Source", { snapshotId, targetKind: "external", targetName: "Target", ...more });
  const failPoint = (client: MongoClient, mode: unknown, data: Document = {}): Promise<Document> =>
    client.db("admin").command({ configureFailPoint: "failCommand", mode, data });

  test("puts every document byte for byte, with options, indexes and views, into an empty one", async () => {
    const job = await restore();
    assert.equal(job["status"], "completed", JSON.stringify(job));
    const contents = await contentsOf(target);
    assert.deepEqual(contents, await contentsOf(source));
    assert.deepEqual((contents["odd.things"] as Document)["documents"], [odd.toString("hex")]);
    assert.equal(Object.keys(contents).length, 6);
  });

  test("refuses one that holds anything, which stays as it is, unless it is said that it may be replaced", async () => {
    await target.db("shop").collection("orders").deleteMany({});
    await target.db("other").collection("mine").insertOne({ a: 1 });
    const before = await contentsOf(target);
    const refused = await restore();
    assert.equal(refused["status"], "failed");
    assert.match(
      refused["failureReason"] as string,
      /^The target is not empty \(it has \w+\.\w+\), and nobody confirmed/,
    );
    assert.deepEqual(await contentsOf(target), before);
    const job = await restore({ replaceExisting: true });
    assert.equal(job["status"], "completed", JSON.stringify(job));
    assert.deepEqual(await contentsOf(target), await contentsOf(source));
  });

  test("that fails before it was proven leaves the target as it was, and nothing of itself", async () => {
    await target.db("shop").collection("orders").deleteOne({});
    const before = await contentsOf(target);
    await failPoint(target, "alwaysOn", { failCommands: ["createIndexes"], errorCode: 67 });
    const failed = await restore({ replaceExisting: true });
    await failPoint(target, "off");
    assert.equal(failed["status"], "failed");
    assert.doesNotMatch(failed["failureReason"] as string, /being changed/);
    assert.deepEqual(await contentsOf(target), before);
  });

  test("that is broken off while it is put in place is brought to its end", async () => {
    await failPoint(target, { times: 1 }, { failCommands: ["renameCollection"], errorCode: 91 });
    const job = await restore({ replaceExisting: true });
    await failPoint(target, "off");
    assert.equal(job["status"], "completed", JSON.stringify(job));
    assert.deepEqual(await contentsOf(target), await contentsOf(source));
  });

  test("that cannot be put in place says that the target may hold a part of each", async () => {
    await failPoint(target, "alwaysOn", { failCommands: ["renameCollection"], errorCode: 20 });
    const failed = await restore({ replaceExisting: true });
    await failPoint(target, "off");
    assert.equal(failed["status"], "failed");
    assert.match(failed["failureReason"] as string, /The target was being changed: it may hold a part of the old/);
    assert.equal((await restore({ replaceExisting: true }))["status"], "completed");
    assert.deepEqual(await contentsOf(target), await contentsOf(source));
  });

  test("what is confirmed for an instance is refused: an instance is always replaced", async () => {
    const wanted = { snapshotId, targetKind: "serverless", targetName: "Target", replaceExisting: true };
    const { status, body } = await here.call("POST", "/Source/restoreJobs", wanted);
    assert.deepEqual([status, body["errorCode"]], [400, "INVALID_ATTRIBUTE"]);
  });
});

async function fill(client: MongoClient): Promise<void> {
  const shop = client.db("shop");
  await shop.createCollection("orders", { collation: { locale: "en", strength: 2 } });
  await shop
    .collection("orders")
    .insertMany(
      Array.from({ length: 2500 }, (_, n) => ({ _id: n as never, n: new Double(n), text: "x".repeat(n % 1500) })),
    );
  await shop.collection("orders").createIndexes([
    { key: { n: -1, text: 1 }, name: "by n" },
    { key: { n: 1 }, name: "rare", sparse: true, expireAfterSeconds: 3600 },
    { key: { text: "hashed" }, name: "hashed" },
    { key: { text: 1 }, name: "partial", partialFilterExpression: { n: { $gt: 10 } } },
  ]);
  await shop.createCollection("checked", { validator: { never: { $exists: true } }, validationAction: "error" });
  await shop.collection("checked").insertOne({ _id: 1 as never }, { bypassDocumentValidation: true });
  await shop.createCollection("ring", { capped: true, size: 1_000_000, max: 10 });
  await shop.collection("ring").insertMany([{ _id: 2 as never }, { _id: 3 as never }]);
  await shop.createCollection("seen", { viewOn: "orders", pipeline: [{ $match: { n: { $lt: 5 } } }] });
  await shop.createCollection("empty");
  await insertRaw(client, "odd", "things", odd);
}

/** Every collection's description and the hash of its documents. */
async function contentsOf(client: MongoClient): Promise<Document> {
  const contents: Document = {};
  const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
  for (const { name: database } of databases) {
    if (["local", "config", "admin"].includes(database)) continue;
    for (const { name, type, options } of (await client
      .db(database)
      .listCollections({}, { nameOnly: false })
      .toArray()) as Document[]) {
      const collection = client.db(database).collection(name as string);
      const documents = (await collection
        .find({}, { raw: true, sort: { _id: 1 } })
        .toArray()) as unknown as Uint8Array[];
      const indexes = type === "view" ? [] : await collection.indexes();
      contents[`${database}.${name}`] = {
        type,
        options: BSON.EJSON.stringify(options),
        indexes: indexes.map((index) => BSON.EJSON.stringify(index)).toSorted(),
        documents: documents.map((bytes) => Buffer.from(bytes).toString("hex")),
      };
    }
  }
  return contents;
}
