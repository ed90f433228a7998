import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BSON, Double, Long, type MongoClient } from "mongodb";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { CatalogueChanged, type SourceReading } from "../../ports/snapshot-source.ts";
import { createMongoSource } from "./source-mongodb.ts";

const never = new AbortController().signal;

describe("reading a database through the driver", () => {
  let databases: HostedDatabases;
  let client: MongoClient;
  let connectionString: string;
  before(async () => {
    databases = await openHostedDatabases();
  });
  after(() => databases.close());

  async function serveOne(): Promise<void> {
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    connectionString = await databases.host.systemConnectionString(deployment.id);
    client = await databases.connect(deployment.id);
  }
  const open = (signal = never): Promise<SourceReading> =>
    createMongoSource(createFakeClock()).open(connectionString, signal);
  const namesOf = ({ collections }: SourceReading): string[] =>
    collections.map(({ database, name }) => `${database}.${name}`);

  test("gives every document byte for byte, in _id order, in pieces of about a mebibyte, each whole documents", async () => {
    await serveOne();
    const collection = client.db("shop").collection("orders");
    const odd = BSON.serialize({
      _id: -1,
      one: new Double(1),
      zero: new Double(-0),
      long: Long.fromNumber(1),
      "": "no name",
      b: 1,
      a: 2,
    });
    const rest = Array.from({ length: 12_000 }, (_, index) => ({ _id: index, filler: "x".repeat(500) }));
    for (let first = rest.length; first > 0; first -= 1000)
      await collection.insertMany(rest.slice(first - 1000, first) as never[]);
    await collection.insertOne(BSON.deserialize(odd, { promoteValues: false }) as never);
    const reading = await open();
    const pieces = await Array.fromAsync(reading.documents("shop", "orders"));
    await reading.confirmCatalogue();
    await reading.close();
    const expected = Buffer.concat([odd, ...rest.map((document) => BSON.serialize(document))]);
    assert.ok(Buffer.concat(pieces).equals(expected));
    assert.ok(pieces.length > 4, String(pieces.length));
    for (const piece of pieces) assert.ok(endsAtDocument(piece) && piece.length < 1_048_576 + 600);
  });

  test("a piece stays what it was while later ones are read", async () => {
    await serveOne();
    await client
      .db("shop")
      .collection("orders")
      .insertMany(Array.from({ length: 6000 }, (_, index) => ({ _id: index, filler: "x".repeat(400) })) as never[]);
    const reading = await open();
    const seen: { readonly piece: Uint8Array; readonly copy: Buffer }[] = [];
    for await (const piece of reading.documents("shop", "orders")) seen.push({ piece, copy: Buffer.from(piece) });
    await reading.close();
    assert.ok(seen.length > 1 && seen.every(({ piece, copy }) => copy.equals(piece)));
  });

  test("is labelled exact with its time, and shows nothing that was written after it, whatever collection is read when", async () => {
    await serveOne();
    const shop = client.db("shop");
    await shop.collection("a").insertOne({ _id: 1 as never });
    await shop.collection("b").insertOne({ _id: 1 as never });
    const reading = await open();
    assert.equal(reading.facts.consistency, "exact");
    assert.ok((reading.facts.clusterTime?.seconds ?? 0) > 1_700_000_000);
    assert.equal(reading.facts.serverVersion, "8.0.0");
    assert.equal(reading.facts.capturedAtMs, Date.UTC(2026, 0, 1));
    await shop.collection("a").insertOne({ _id: 2 as never });
    await shop.collection("b").deleteMany({});
    for (const name of ["a", "b"]) {
      const [piece] = await Array.fromAsync(reading.documents("shop", name));
      assert.deepEqual(Buffer.from(piece ?? []), Buffer.from(BSON.serialize({ _id: 1 })), name);
    }
    await reading.close();
  });

  test("an empty database and an empty collection are read as what they are", async () => {
    await serveOne();
    const nothing = await open();
    assert.deepEqual([namesOf(nothing), nothing.facts.consistency], [[], "exact"]);
    await nothing.confirmCatalogue();
    await nothing.close();
    await client.db("shop").createCollection("empty");
    const reading = await open();
    assert.deepEqual(namesOf(reading), ["shop.empty"]);
    assert.deepEqual(await Array.fromAsync(reading.documents("shop", "empty")), []);
    await reading.close();
  });

  test("keeps options and index specifications as the bytes the server answered, and the collection's uuid", async () => {
    await serveOne();
    const shop = client.db("shop");
    await shop.createCollection("orders");
    await shop.command({
      createIndexes: "orders",
      indexes: [{ key: { b: new Double(-1), a: Long.fromNumber(1) }, name: "odd", unique: true }],
    });
    const answered = (await shop
      .collection("orders")
      .listIndexes({ raw: true } as object)
      .toArray()) as unknown[] as Uint8Array[];
    const reading = await open();
    const [orders] = reading.collections;
    assert.deepEqual(
      orders?.indexes.map((bytes) => Buffer.from(bytes)),
      answered.map((bytes) => Buffer.from(bytes)),
    );
    assert.equal(orders?.indexes.length, 2);
    assert.deepEqual(Buffer.from(orders?.options ?? []), Buffer.from([5, 0, 0, 0, 0]));
    const info = (await shop.listCollections({ name: "orders" }).next()) as {
      info?: { uuid?: { buffer: Uint8Array } };
    } | null;
    assert.deepEqual(Buffer.from(orders?.uuid ?? []), Buffer.from(info?.info?.uuid?.buffer ?? "none"));
    await reading.close();
  });

  test("leaves out what is the server's own, and nothing of the users'", async () => {
    await serveOne();
    for (const [database, name] of [
      ["shop", "orders"],
      ["shop", "system.js"],
      ["admin", "notes"],
      ["Ünïcode", "a b\n.c"],
      ["local", "x"],
      ["config", "x"],
      ["admin", "system.version"],
    ] as const) {
      await client.db(database).collection(name).insertOne({});
    }
    const reading = await open();
    assert.deepEqual(namesOf(reading), ["admin.notes", "shop.orders", "shop.system.js", "Ünïcode.a b\n.c"]);
    assert.equal((await Array.fromAsync(reading.documents("Ünïcode", "a b\n.c"))).length, 1);
    await reading.close();
  });

  test("notices a collection that is dropped, or dropped and made again, and lets new ones pass", async () => {
    await serveOne();
    const shop = client.db("shop");
    await shop.collection("orders").insertOne({});
    const reading = await open();
    await shop.createCollection("later");
    await shop.collection("orders").createIndex({ later: 1 });
    await reading.confirmCatalogue();
    await shop.collection("orders").drop();
    await assert.rejects(reading.confirmCatalogue(), CatalogueChanged);
    await shop.collection("orders").insertOne({});
    await assert.rejects(reading.confirmCatalogue(), /shop\.orders was dropped or replaced/);
    await reading.close();
  });

  test("stops with the signal's reason, before and between pieces", async () => {
    await serveOne();
    await client
      .db("shop")
      .collection("orders")
      .insertMany(Array.from({ length: 12_000 }, (_, index) => ({ _id: index, filler: "x".repeat(400) })) as never[]);
    const stopped = new Error("stopped by the test");
    await assert.rejects(open(AbortSignal.abort(stopped)), stopped);
    const controller = new AbortController();
    const reading = await open(controller.signal);
    await assert.rejects(async () => {
      for await (const piece of reading.documents("shop", "orders")) if (piece.length > 0) controller.abort(stopped);
    }, stopped);
    await reading.close();
  });

  test("says what is wrong when nobody listens, without the password", async () => {
    const nobody = "mongodb://user:very-secret@127.0.0.1:1/?directConnection=true";
    await assert.rejects(
      createMongoSource(createFakeClock(), { serverSelectionTimeoutMs: 300 }).open(nobody, never),
      (error: Error) => {
        assert.ok(!error.message.includes("very-secret"));
        return true;
      },
    );
  });
});

function endsAtDocument(piece: Uint8Array): boolean {
  const view = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  let position = 0;
  while (position + 4 <= view.length) position += view.readInt32LE(position);
  return position === view.length;
}
