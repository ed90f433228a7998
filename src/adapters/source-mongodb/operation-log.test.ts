import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BSON, type MongoClient } from "mongodb";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { IncrementRefused, type LogPosition } from "../../ports/snapshot-repository.ts";
import type { SourceReading } from "../../ports/snapshot-source.ts";
import { createMongoSource } from "./source-mongodb.ts";

const never = new AbortController().signal;
const elementOf = (id: unknown): Buffer => Buffer.from(BSON.serialize({ _id: id }).slice(4, -1));

describe("what changed since a place in the operation log", () => {
  let databases: HostedDatabases;
  before(async () => {
    databases = await openHostedDatabases();
  });
  after(() => databases.close());

  async function serveOne(): Promise<{ client: MongoClient; open: () => Promise<SourceReading> }> {
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    const connectionString = await databases.host.systemConnectionString(deployment.id);
    const client = await databases.connect(deployment.id);
    return { client, open: () => createMongoSource(createFakeClock()).open(connectionString, never) };
  }

  /** A reading's place, after some documents were written. */
  async function placeOf(client: MongoClient, open: () => Promise<SourceReading>): Promise<LogPosition> {
    await client
      .db("shop")
      .collection("orders")
      .insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }] as never[]);
    const reading = await open();
    await reading.close();
    return reading.facts.logPosition ?? assert.fail("it has no place in the log");
  }

  test("is told by collection up to the reading's time and no further, with the documents of that time", async () => {
    const { client, open } = await serveOne();
    const position = await placeOf(client, open);
    const orders = client.db("shop").collection("orders");
    await orders.updateOne({ _id: 1 as never }, { $set: { a: 1 } });
    await orders.deleteOne({ _id: 3 as never });
    await orders.insertOne({ _id: 0 as never });
    const reading = await open();
    await orders.insertOne({ _id: 9 as never });
    await orders.updateOne({ _id: 1 as never }, { $set: { a: 2 } });
    const [description] = reading.collections;
    const changes = await reading.changesSince(position, reading.collections);
    assert.ok("of" in changes && description !== undefined);
    const changed = changes.of(description);
    assert.deepEqual(changed, { ids: [0, 1, 3].map(elementOf) });
    assert.ok("ids" in changed);
    const { documents } = reading.changedDocuments("shop", "orders", changed.ids);
    const found = Buffer.concat(await Array.fromAsync(documents));
    assert.ok(found.equals(Buffer.concat([BSON.serialize({ _id: 0 }), BSON.serialize({ _id: 1, a: 1 })])));
    await reading.close();
  });

  test("is nothing when nothing was written", async () => {
    const { client, open } = await serveOne();
    const position = await placeOf(client, open);
    const reading = await open();
    const changes = await reading.changesSince(position, reading.collections);
    assert.ok("of" in changes);
    for (const collection of reading.collections) assert.deepEqual(changes.of(collection), { ids: [] });
    assert.deepEqual(reading.facts.logPosition, position);
    await reading.close();
  });

  test("is unknown when another entry stands at that place, none does, or the log begins behind it", async () => {
    const { client, open } = await serveOne();
    const position = await placeOf(client, open);
    await client
      .db("shop")
      .collection("orders")
      .deleteOne({ _id: 1 as never });
    const reading = await open();
    const other = { ...position, entryHash: position.entryHash.toReversed() };
    const between = { ...position, increment: position.increment + 1_000_000 };
    const earlier = { ...position, seconds: position.seconds - 3600 };
    const later = { ...position, seconds: position.seconds + 3600 };
    for (const place of [other, between, earlier, later])
      assert.deepEqual(await reading.changesSince(place, reading.collections), {
        unknown: "the operation log does not reach back to the snapshot before",
      });
    await reading.close();
  });

  test("is not told of a collection of which more changed than is wanted, and is of others", async () => {
    const { client, open } = await serveOne();
    const position = await placeOf(client, open);
    await client
      .db("shop")
      .collection("things")
      .insertOne({ _id: 7 as never });
    await client
      .db("shop")
      .collection("orders")
      .updateMany({}, { $set: { a: 1 } });
    const reading = await open();
    for (const most of [2, 3, 4]) {
      const changes = await reading.changesSince(position, reading.collections, ({ name }) =>
        name === "orders" ? most : 1,
      );
      assert.ok("of" in changes);
      const told = new Map(reading.collections.map((collection) => [collection.name, changes.of(collection)]));
      assert.deepEqual(
        told.get("orders"),
        most < 3 ? { unknown: "too many documents changed" } : { ids: [1, 2, 3].map(elementOf) },
      );
      assert.deepEqual(told.get("things"), { ids: [elementOf(7)] });
    }
    await reading.close();
  });

  test("is not read beyond so many bytes: then it is cheaper to read the collections", async () => {
    const { client, open } = await serveOne();
    const position = await placeOf(client, open);
    await client
      .db("shop")
      .collection("orders")
      .updateMany({}, { $set: { text: "x".repeat(1000) } });
    const reading = await open();
    const told = async (mostBytes: number) => reading.changesSince(position, reading.collections, undefined, mostBytes);
    assert.deepEqual(await told(1000), {
      unknown: "more was written since the snapshot before than there is to read",
    });
    assert.ok("of" in (await told(10_000)));
    await reading.close();
  });

  test("of another database is unknown, though the time is met there", async () => {
    const one = await serveOne();
    const position = await placeOf(one.client, one.open);
    const another = await serveOne();
    await placeOf(another.client, another.open);
    const reading = await another.open();
    assert.ok("unknown" in (await reading.changesSince(position, reading.collections)));
    await reading.close();
  });

  test("an _id that the driver would send as another one is refused", async () => {
    const { client, open } = await serveOne();
    await placeOf(client, open);
    const reading = await open();
    const numbers = BSON.serialize(
      new Map([
        [
          "_id",
          new Map([
            ["b", 1],
            ["1", 2],
          ]),
        ],
      ]),
    );
    const { documents } = reading.changedDocuments("shop", "orders", [Buffer.from(numbers.subarray(4, -1))]);
    await assert.rejects(Array.fromAsync(documents), IncrementRefused);
    await reading.close();
  });
});
