import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { BSON, type MongoClient } from "mongodb";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { TargetNotEmpty } from "../../ports/external-restore.ts";
import { createSystemClock } from "../clock-system.ts";
import { createExternalRestores } from "./external-restore.ts";

const never = new AbortController().signal;

describe("a restore into a deployment elsewhere that nobody confirmed may be replaced", () => {
  let databases: HostedDatabases;
  let connectionString: string;
  let client: MongoClient;
  before(async () => {
    databases = await openHostedDatabases();
    const deployment = databases.deployment();
    await databases.host.start(deployment);
    connectionString = await databases.host.systemConnectionString(deployment.id);
    client = await databases.connect(deployment.id);
  });
  after(() => databases.close());

  test("changes nothing when something has come to it since it was found empty, and takes its own collections away", async () => {
    const request = { restoreJobId: databases.ids.objectId(), replacesExisting: false };
    const staging = await createExternalRestores(createSystemClock()).open(connectionString, request, never);
    const options = BSON.serialize({});
    await staging.createCollection({ database: "shop", name: "orders", type: "collection", options, indexes: [] });
    await staging.insertDocuments("shop", "orders", BSON.serialize({ _id: 1 }));
    await client
      .db("shop")
      .collection("orders")
      .insertOne({ _id: 7 as never });
    await client
      .db("other")
      .collection("mine")
      .insertOne({ _id: 8 as never });
    let began = 0;
    await assert.rejects(
      staging.publish(async () => void (began += 1)),
      TargetNotEmpty,
    );
    await staging.abort();
    assert.equal(began, 0);
    assert.deepEqual(await client.db("shop").collection("orders").find().toArray(), [{ _id: 7 }]);
    assert.deepEqual(await client.db("other").collection("mine").find().toArray(), [{ _id: 8 }]);
    const left = await client.db("shop").listCollections().toArray();
    assert.deepEqual(
      left.map(({ name }) => name),
      ["orders"],
    );
  });

  test("does not put a collection in the place of one that came at the very last moment", async () => {
    await client.db("shop").dropDatabase();
    await client.db("other").dropDatabase();
    const request = { restoreJobId: databases.ids.objectId(), replacesExisting: false };
    const staging = await createExternalRestores(createSystemClock()).open(connectionString, request, never);
    const options = BSON.serialize({});
    await staging.createCollection({ database: "shop", name: "orders", type: "collection", options, indexes: [] });
    await assert.rejects(
      staging.publish(
        async () =>
          void (await client
            .db("shop")
            .collection("orders")
            .insertOne({ _id: 9 as never })),
      ),
      /exists/,
    );
    await staging.abort();
    assert.deepEqual(await client.db("shop").collection("orders").find().toArray(), [{ _id: 9 }]);
  });
});
