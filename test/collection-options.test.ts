import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Db, type Document, MongoClient } from "mongodb";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  startTelamon,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";

describe("what collections are, in a snapshot and a restore", () => {
  const data = temporaryDataDirectory();
  let telamon: TelamonProcess;
  let caller: ApiCaller;
  let backup: string;
  let client: MongoClient;

  before(async () => {
    telamon = await startTelamon(data.path, "--demo");
    caller = await apiCaller(telamon.credentials);
    backup = `/api/atlas/v2/groups/${telamon.credentials.groupId}/serverless/Instance0/backup`;
    const { connectionString, username, password } = telamon.credentials.demo ?? assert.fail("no demo");
    client = new MongoClient(connectionString, { auth: { username, password } });
  });
  after(async () => {
    await client.close();
    await telamon.stop();
    data.remove();
  });

  /** Options and indexes by collection. */
  async function described(database: Db): Promise<Record<string, Document>> {
    const found: Record<string, Document> = {};
    for (const { name, type, options } of (await database.listCollections().toArray()) as Document[]) {
      const indexes = type === "view" ? [] : await database.collection(name as string).indexes();
      found[name as string] = { type: type as string, options: options as Document, indexes };
    }
    return found;
  }

  test("clustered collections come back clustered, those with images keep them, and so does every other kind", async () => {
    const database = client.db("kinds");
    await database.createCollection("clustered", {
      clusteredIndex: { key: { _id: 1 }, unique: true, name: "by id" },
      expireAfterSeconds: 1_000_000,
    });
    await database.createCollection("plainly clustered", { clusteredIndex: { key: { _id: 1 }, unique: true } });
    await database.createCollection("imaged", { changeStreamPreAndPostImages: { enabled: true } });
    await database.createCollection("capped", { capped: true, size: 10_240 });
    await database.createCollection("collated", { collation: { locale: "de", strength: 2 } });
    await database.createCollection("seen", { viewOn: "clustered", pipeline: [{ $match: { a: 1 } }] });
    const documents = [3, 1, 2].map((_id) => ({ _id, a: 1 }) as unknown as Document);
    for (const name of ["clustered", "plainly clustered", "imaged", "capped", "collated"]) {
      await database.collection(name).insertMany(documents);
      await database.collection(name).createIndex({ a: 1, _id: 1 });
    }
    const before = await described(database);
    assert.equal(before["clustered"]?.["indexes"][0].clustered, true);

    const taken = await caller.request("POST", `${backup}/snapshots`, { retentionInDays: 1 });
    assert.equal(taken.status, 200, JSON.stringify(taken.body));
    const { id } = taken.body as { id: string };
    await eventually("the snapshot to complete", async () => {
      const { body } = await caller.request("GET", `${backup}/snapshots/${id}`);
      assert.notEqual((body as Document)["status"], "failed", JSON.stringify(body));
      return (body as Document)["status"] === "completed" ? true : undefined;
    });
    await database.dropDatabase();
    const job = await caller.request("POST", `${backup}/restoreJobs`, {
      deliveryType: "automated",
      snapshotId: id,
      targetClusterName: "Instance0",
      targetGroupId: telamon.credentials.groupId,
    });
    assert.equal(job.status, 200, JSON.stringify(job.body));
    await eventually("the restore to end", async () => {
      const { body } = await caller.request("GET", `${backup}/restoreJobs/${(job.body as { id: string }).id}`);
      assert.notEqual((body as Document)["failed"], true, JSON.stringify(body));
      return (body as Document)["finishedAt"] === undefined ? undefined : true;
    });

    assert.deepEqual(await described(database), before);
    const ids = async (name: string): Promise<unknown[]> =>
      (await database.collection(name).find().toArray()).map(({ _id }) => _id as unknown);
    assert.deepEqual(await ids("clustered"), [1, 2, 3]);
    const imaged = database.collection("imaged");
    const stream = imaged.watch([], { fullDocumentBeforeChange: "required", maxAwaitTimeMS: 20 });
    assert.equal(await stream.tryNext(), null);
    await imaged.updateOne({ a: 1 }, { $set: { a: 2 } });
    assert.equal(((await stream.next()) as Document)["fullDocumentBeforeChange"].a, 1);
    await stream.close();
  });
});
