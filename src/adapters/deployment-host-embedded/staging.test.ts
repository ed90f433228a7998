import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { BSON, type Collection } from "mongodb";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import type { HostedDeployment, RestoreStaging } from "../../ports/deployment-host.ts";
import type { CollectionDescription } from "../../ports/snapshot-repository.ts";

const uuid = Uint8Array.from({ length: 16 }, (_, index) => index);
const idIndex = BSON.serialize({ v: 2, key: { _id: 1 }, name: "_id_" });
const byValue = BSON.serialize({ v: 2, key: { value: -1 }, name: "by value", unique: true });
const orders: CollectionDescription = {
  database: "shop",
  name: "orders",
  type: "collection",
  uuid,
  options: BSON.serialize({}),
  indexes: [idIndex, byValue],
};

function documents(first: number, count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      BSON.serialize({ _id: first + index, value: first + index, filler: "x".repeat(1000) }),
    ),
  );
}

describe("a staged restore", () => {
  let databases: HostedDatabases;
  let deployment: HostedDeployment;
  let live: Collection;
  before(async () => {
    databases = await openHostedDatabases();
  });
  after(() => databases.close());

  async function serveOne(): Promise<void> {
    deployment = databases.deployment();
    await databases.host.start(deployment);
    live = (await databases.connect(deployment.id)).db("shop").collection("orders");
    await live.insertOne({ _id: "old" as never });
  }
  const files = async (): Promise<string[]> =>
    (await readdir(join(databases.folder, "engine", deployment.id)))
      .filter((name) => !/-(wal|shm)$/.test(name))
      .toSorted();

  async function staged(pieces: readonly Buffer[]): Promise<RestoreStaging> {
    const staging = await databases.host.openStaging(deployment.id, 2);
    await staging.createCollection(orders);
    for (const piece of pieces) await staging.insertDocuments("shop", "orders", piece);
    await staging.createIndexes("shop", "orders", orders.indexes);
    return staging;
  }

  test("reads back exactly what was put in, however many pieces, and leaves the caller's bytes alone", async () => {
    await serveOne();
    const pieces = [documents(0, 1500), documents(1500, 1), documents(1501, 1500)];
    const copies = pieces.map((piece) => Buffer.from(piece));
    const staging = await staged(pieces);
    assert.ok(pieces.every((piece, index) => piece.equals(copies[index] as Buffer)));
    const [found, ...more] = await staging.collections();
    assert.deepEqual(more, []);
    assert.deepEqual([found?.database, found?.name, found?.type], ["shop", "orders", "collection"]);
    assert.deepEqual(Buffer.from(found?.uuid ?? []), Buffer.from(uuid));
    assert.deepEqual(
      found?.indexes.map((bytes) => Buffer.from(bytes)),
      [idIndex, byValue].map((bytes) => Buffer.from(bytes)),
    );
    assert.deepEqual([found?.documentCount, found?.dataSizeBytes], [3001, Buffer.concat(pieces).length]);
    assert.ok(Buffer.concat(await Array.fromAsync(staging.documents("shop", "orders"))).equals(Buffer.concat(pieces)));
    const half = staging.documents("shop", "orders")[Symbol.asyncIterator]();
    await half.next();
    await half.return?.();
    await staging.abort();
  });

  test("is seen by nobody before the switch; then old cursors end and clients read the new file alone", async () => {
    await serveOne();
    await live.insertMany(Array.from({ length: 300 }, () => ({})));
    const open = live.find({}, { batchSize: 10 });
    await open.next();
    const staging = await staged([documents(0, 3)]);
    await staging.finish();
    const path = join(databases.folder, "engine", deployment.id, "2.sqlite");
    await assert.rejects(stat(`${path}-wal`), "one durable file, no log");
    assert.equal(await live.countDocuments(), 301, "nothing is seen yet");
    await databases.host.switchGeneration(deployment.id, 2, async () => true);
    await assert.rejects(open.toArray(), "a cursor on the old data ends");
    assert.deepEqual(await live.find({}, { projection: { _id: 1 } }).toArray(), [{ _id: 0 }, { _id: 1 }, { _id: 2 }]);
    assert.deepEqual(await files(), ["2.sqlite"], "the old file is gone");
    await assert.rejects(live.insertOne({ _id: 9 as never, value: 0 }), /duplicate key/, "its indexes hold");
    await staging.abort();
    assert.deepEqual(await files(), ["2.sqlite"], "giving up afterwards deletes nothing");
    await databases.host.switchGeneration(deployment.id, 2, async () => true);
  });

  test("while it is decided which data are the true ones nobody is answered: what is written then is in them", async () => {
    await serveOne();
    const staging = await staged([documents(0, 3)]);
    await staging.finish();
    const decision = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const switched = databases.host.switchGeneration(deployment.id, 2, () => {
      asked.resolve();
      return decision.promise;
    });
    await asked.promise;
    let isAnswered = false;
    const written = live.insertOne({ _id: 50 as never, value: 50 }).then(() => (isAnswered = true));
    await setTimeout(100);
    assert.equal(isAnswered, false);
    decision.resolve(true);
    assert.equal(await switched, true);
    await written;
    assert.deepEqual(await live.distinct("_id"), [0, 1, 2, 50]);
  });

  for (const refusal of ["no", "an error"])
    test(`decided with ${refusal}, the data before are served as they were`, async () => {
      await serveOne();
      const staging = await staged([documents(0, 3)]);
      await staging.finish();
      const switched = databases.host.switchGeneration(deployment.id, 2, async () => {
        if (refusal === "no") return false;
        throw new Error("the disk is full");
      });
      if (refusal === "no") assert.equal(await switched, false);
      else await assert.rejects(switched, /the disk is full/);
      assert.equal(await live.countDocuments(), 1);
      await staging.abort();
      assert.deepEqual(await files(), ["1.sqlite"]);
    });

  test("given up leaves the target and no file", async () => {
    await serveOne();
    const staging = await staged([documents(0, 3)]);
    await staging.finish();
    await staging.abort();
    await staging.abort();
    assert.deepEqual(await files(), ["1.sqlite"]);
    assert.equal(await live.countDocuments(), 1);
  });

  test("a second attempt takes the path over: the first can neither write to it nor delete it", async () => {
    await serveOne();
    const first = await staged([documents(0, 3)]);
    const second = await staged([documents(10, 2)]);
    await assert.rejects(first.insertDocuments("shop", "orders", documents(5, 1)), /not open any more/);
    await first.abort();
    await second.finish();
    await first.abort();
    await databases.host.switchGeneration(deployment.id, 2, async () => true);
    assert.deepEqual(await live.distinct("_id"), [10, 11]);
  });

  test("refuses the generation in use, what is no collection, duplicates and torn documents", async () => {
    await serveOne();
    await assert.rejects(databases.host.openStaging(deployment.id, 1), /in use/);
    const staging = await databases.host.openStaging(deployment.id, 2);
    await assert.rejects(staging.createCollection({ ...orders, name: "seen", type: "timeseries" }), { code: 238 });
    await staging.createCollection(orders);
    await assert.rejects(staging.insertDocuments("shop", "orders", documents(0, 2).subarray(0, -1)), { code: 22 });
    const [one, same] = [
      { _id: 1, value: 1 },
      { _id: 2, value: 1 },
    ].map((document) => BSON.serialize(document));
    await staging.insertDocuments("shop", "orders", Buffer.concat([one as Uint8Array, same as Uint8Array]));
    await assert.rejects(staging.createIndexes("shop", "orders", orders.indexes), { code: 11_000 });
    await staging.abort();
  });

  test("after a death between the transaction and the switch, the next start serves the generation of the metadata", async () => {
    await serveOne();
    const staging = await staged([documents(0, 3)]);
    await staging.finish();
    databases = await databases.again();
    await databases.host.start({ ...deployment, generation: 2 });
    const after = (await databases.connect(deployment.id)).db("shop").collection("orders");
    assert.deepEqual(await after.distinct("_id"), [0, 1, 2]);
    assert.deepEqual(await files(), ["2.sqlite"]);
  });
});
