import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { type Collection, Decimal128, Double, Int32, Long, MongoClient } from "mongodb";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  startTelamon,
  temporaryDataDirectory,
  type TelamonProcess,
} from "./support/telamon-process.ts";

const accept = "Accept: application/vnd.atlas.2023-01-01+json";

interface Snapshot {
  readonly id: string;
  readonly status: string;
  readonly storageSizeBytes: number;
  readonly createdAt: string;
}

describe("the demo", () => {
  const data = temporaryDataDirectory();
  let telamon: TelamonProcess;
  let caller: ApiCaller;
  let client: MongoClient;
  let snapshots: string;
  let instance: string;

  before(async () => {
    telamon = await startTelamon(data.path, "--demo");
    caller = await apiCaller(telamon.credentials);
    const demo = telamon.credentials.demo;
    assert.ok(demo !== undefined);
    client = new MongoClient(demo.connectionString);
    instance = `/api/atlas/v2/groups/${telamon.credentials.groupId}/serverless/${demo.instance}`;
    snapshots = `${instance}/backup/snapshots`;
  });
  after(async () => {
    await client.close();
    await telamon.stop();
    data.remove();
  });

  test("curl with a bearer token lists the demo's completed snapshot", async () => {
    const { clientId, clientSecret } = telamon.credentials.serviceAccount;
    const token = spawnSync(
      "curl",
      [
        "-sS",
        "--user",
        `${clientId}:${clientSecret}`,
        "-d",
        "grant_type=client_credentials",
        `${telamon.credentials.baseUrl}/api/oauth/token`,
      ],
      { encoding: "utf8" },
    );
    const { access_token: accessToken } = JSON.parse(token.stdout) as { access_token: string };
    const listed = spawnSync(
      "curl",
      ["-sS", "-H", accept, "-H", `Authorization: Bearer ${accessToken}`, telamon.credentials.baseUrl + snapshots],
      { encoding: "utf8" },
    );
    assertListsCompleted(listed.stdout);
  });

  test("curl with digest lists the demo's completed snapshot", () => {
    const { publicKey, privateKey } = telamon.credentials.apiKey;
    const listed = spawnSync(
      "curl",
      [
        "-sS",
        "--user",
        `${publicKey}:${privateKey}`,
        "--digest",
        "-H",
        accept,
        telamon.credentials.baseUrl + snapshots,
      ],
      { encoding: "utf8" },
    );
    assertListsCompleted(listed.stdout);
  });

  test("after a snapshot, a drop and a restore every document and index is back, byte for byte", async () => {
    const collection = client.db("proof").collection("oddities");
    await collection.insertMany([
      {
        _id: 1 as never,
        int: new Int32(1),
        double: new Double(1),
        long: Long.fromNumber(1),
        decimal: Decimal128.fromString("1.0"),
        zero: new Double(-0),
      },
      {
        _id: "two" as never,
        nested: { 5: "five", 1: "one", list: [1, [2, [3]]], empty: {} },
        when: new Date(0),
        nothing: null,
      },
      {
        _id: { a: 1, b: 2 } as never,
        pattern: /^a.b$/im,
        blob: Buffer.from([0, 255, 1]),
        nan: Number.NaN,
        infinity: Number.POSITIVE_INFINITY,
      },
    ]);
    await collection.createIndex({ "nested.list": 1, when: -1 }, { name: "by list" });
    await collection.createIndex({ int: 1 }, { unique: true, sparse: true });
    const documentsBefore = await rawDocuments(collection);
    const indexesBefore = await collection.listIndexes().toArray();
    const shopBefore = await rawDocuments(client.db("sample_shop").collection("orders"));

    const taken = await caller.request("POST", snapshots, { description: "before the drop", retentionInDays: 1 });
    assert.equal(taken.status, 200);
    const { id } = taken.body as Snapshot;
    const completed = await eventually("the snapshot to complete", async () => {
      const { body } = await caller.request("GET", `${snapshots}/${id}`);
      return (body as Snapshot).status === "completed" ? (body as Snapshot) : undefined;
    });
    assert.ok(completed.storageSizeBytes > 0);

    await client.db("proof").dropDatabase();
    await client.db("sample_shop").collection("orders").deleteMany({});
    await client.db("later").collection("made").insertOne({ after: "the snapshot" });

    const job = await caller.request("POST", `${instance}/backup/restoreJobs`, {
      deliveryType: "automated",
      snapshotId: id,
      targetClusterName: telamon.credentials.demo?.instance,
      targetGroupId: telamon.credentials.groupId,
    });
    assert.equal(job.status, 200);
    const jobPath = `${instance}/backup/restoreJobs/${(job.body as { id: string }).id}`;
    await eventually("the restore to finish", async () => {
      const { body } = await caller.request("GET", jobPath);
      const { finishedAt, failed } = body as { finishedAt?: string; failed: boolean };
      assert.equal(failed, false);
      return finishedAt;
    });

    assert.deepEqual(await rawDocuments(collection), documentsBefore);
    assert.deepEqual(await collection.listIndexes().toArray(), indexesBefore);
    assert.deepEqual(await rawDocuments(client.db("sample_shop").collection("orders")), shopBefore);
    assert.deepEqual(
      await client.db("later").listCollections().toArray(),
      [],
      "what was made after the snapshot is gone",
    );
  });

  test("a snapshot restores into another instance and leaves its source alone", async () => {
    const group = `/api/atlas/v2/groups/${telamon.credentials.groupId}`;
    const created = await caller.request("POST", `${group}/serverless`, {
      name: "Copy",
      providerSettings: { backingProviderName: "AWS", providerName: "SERVERLESS", regionName: "US_EAST_1" },
    });
    assert.equal(created.status, 201);
    const copy = await eventually("the copy to be IDLE", async () => {
      const { body } = await caller.request("GET", `${group}/serverless/Copy`);
      const { stateName, connectionStrings } = body as {
        stateName: string;
        connectionStrings: { standardSrv?: string };
      };
      return stateName === "IDLE" ? connectionStrings.standardSrv : undefined;
    });
    const { results } = (await caller.request("GET", snapshots)).body as { results: Snapshot[] };
    const job = await caller.request("POST", `${instance}/backup/restoreJobs`, {
      deliveryType: "automated",
      snapshotId: results.at(-1)?.id,
      targetClusterName: "Copy",
      targetGroupId: telamon.credentials.groupId,
    });
    await eventually("the restore to finish", async () => {
      const { body } = await caller.request("GET", `${instance}/backup/restoreJobs/${(job.body as { id: string }).id}`);
      return (body as { finishedAt?: string }).finishedAt;
    });
    const { username, password } = telamon.credentials.demo ?? { username: "", password: "" };
    const copyClient = new MongoClient(copy.replace("mongodb://", `mongodb://${username}:${password}@`));
    try {
      assert.equal(await copyClient.db("sample_shop").collection("orders").countDocuments(), 2000);
    } finally {
      await copyClient.close();
    }
  });
});

function assertListsCompleted(text: string): void {
  const { results, totalCount } = JSON.parse(text) as { results: Snapshot[]; totalCount: number };
  assert.ok(totalCount >= 1);
  assert.ok(results.some((snapshot) => snapshot.status === "completed" && snapshot.storageSizeBytes > 0));
}

async function rawDocuments(collection: Collection): Promise<string[]> {
  const documents = await collection.find({}, { raw: true, sort: { _id: 1 } }).toArray();
  // Hexadecimal: equal text means equal bytes.
  return documents.map((document) => Buffer.from(document as unknown as Uint8Array).toString("hex"));
}
