import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MongoClient } from "mongodb";
import { corpusDocuments, corpusMissing } from "./support/bson-corpus.ts";
import { int32, opMsg, RawClient } from "./support/raw-client.ts";
import {
  type ApiCaller,
  apiCaller,
  eventually,
  startTelamon,
  type TelamonProcess,
  temporaryDataDirectory,
} from "./support/telamon-process.ts";
import { describeUnless } from "./support/describe-unless.ts";

const databaseName = "corpus";
const field = (type: number, name: string, ...value: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), ...value]);

function documentOf(...fields: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(fields);
  return Buffer.concat([int32(content.length + 5), content, Buffer.of(0)]);
}

/** Each document of the corpus with an `_id` before its own fields, and each as a field of another. */
const collections: Readonly<Record<string, readonly Buffer[]>> = {
  whole: corpusDocuments.map(({ bytes }, index) =>
    documentOf(field(0x10, "_id", int32(index)), bytes.subarray(4, bytes.length - 1)),
  ),
  nested: corpusDocuments.map(({ bytes }, index) =>
    documentOf(field(0x10, "_id", int32(index)), field(0x03, "document", bytes)),
  ),
};

describeUnless(corpusMissing, "the BSON corpus in a database, through the wire, a snapshot and a restore", () => {
  const data = temporaryDataDirectory();
  let telamon: TelamonProcess;
  let caller: ApiCaller;
  let group: string;

  before(async () => {
    telamon = await startTelamon(data.path, "--demo");
    group = `/api/atlas/v2/groups/${telamon.credentials.groupId}`;
    caller = await apiCaller(telamon.credentials);
    await ask("POST", "/serverless", 201, {
      name: "Target",
      providerSettings: { backingProviderName: "AWS", regionName: "US_EAST_1" },
    });
    await eventually("the target to be ready", async () =>
      (await ask("GET", "/serverless/Target", 200))["stateName"] === "IDLE" ? true : undefined,
    );
    await insertRaw();
  });
  after(async () => {
    await telamon.stop();
    data.remove();
  });

  test("documents are found as the bytes that were inserted", async () => {
    assert.ok(corpusDocuments.length > 700, `only ${corpusDocuments.length} documents`);
    for (const [name, documents] of Object.entries(collections))
      assertSame(await readRaw("Instance0", name), documents);
  });

  test("an update of another field leaves every other byte as it was", async () => {
    await withClient("Instance0", async (client) => {
      for (const name of Object.keys(collections)) {
        const { modifiedCount } = await client
          .db(databaseName)
          .collection(name)
          .updateMany({}, { $set: { other: 7 } });
        assert.equal(modifiedCount, corpusDocuments.length);
      }
    });
    for (const [name, documents] of Object.entries(collections))
      assertSame(await readRaw("Instance0", name), withOther(documents));
  });

  test("what a snapshot of them restores to another instance is the same bytes", async () => {
    const snapshot = await ask("POST", "/serverless/Instance0/backup/snapshots", 200, { retentionInDays: 1 });
    await eventually("the snapshot to complete", async () =>
      (await ask("GET", `/serverless/Instance0/backup/snapshots/${String(snapshot["id"])}`, 200))["status"] ===
      "completed"
        ? true
        : undefined,
    );
    const job = await ask("POST", "/serverless/Instance0/backup/restoreJobs", 200, {
      deliveryType: "automated",
      snapshotId: snapshot["id"],
      targetClusterName: "Target",
      targetGroupId: telamon.credentials.groupId,
    });
    await eventually("the restore to end", async () => {
      const now = await ask("GET", `/serverless/Instance0/backup/restoreJobs/${String(job["id"])}`, 200);
      assert.notEqual(now["failed"], true, JSON.stringify(now));
      return now["finishedAt"] === undefined ? undefined : true;
    });
    for (const [name, documents] of Object.entries(collections))
      assertSame(await readRaw("Target", name), withOther(documents));
  });

  async function ask(method: string, path: string, status: number, body?: object): Promise<Record<string, unknown>> {
    const answer = await caller.request(method, group + path, body);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    return answer.body as Record<string, unknown>;
  }

  /** The driver would encode documents anew, so these are sent by hand. */
  async function insertRaw(): Promise<void> {
    const { connectionString, username, password } = telamon.credentials.demo ?? assert.fail("no demo");
    const raw = await RawClient.connect(Number(/:(\d+)\//.exec(connectionString)?.[1]));
    try {
      assert.equal((await raw.login(username, password))["ok"], 1);
      for (const [insert, documents] of Object.entries(collections)) {
        raw.send(opMsg({ insert, $db: databaseName }, { sequences: { documents } }));
        const reply = (await raw.receive())?.document;
        assert.equal(reply?.["n"], documents.length, JSON.stringify(reply));
      }
    } finally {
      raw.destroy();
    }
  }

  async function withClient<Result>(instance: string, work: (client: MongoClient) => Promise<Result>): Promise<Result> {
    const { connectionStrings } = await ask("GET", `/serverless/${instance}`, 200);
    const { username, password } = telamon.credentials.demo ?? assert.fail("no demo");
    const plain = (connectionStrings as { standardSrv: string }).standardSrv;
    const client = new MongoClient(plain.replace("mongodb://", `mongodb://${username}:${password}@`));
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  function readRaw(instance: string, collection: string): Promise<Uint8Array[]> {
    return withClient(instance, async (client) => {
      const found = client
        .db(databaseName)
        .collection(collection)
        .find({}, { sort: { _id: 1 }, raw: true });
      return (await found.toArray()) as unknown as Uint8Array[];
    });
  }
});

function withOther(documents: readonly Buffer[]): Buffer[] {
  return documents.map((bytes) => documentOf(bytes.subarray(4, bytes.length - 1), field(0x10, "other", int32(7))));
}

function assertSame(found: readonly Uint8Array[], expected: readonly Buffer[]): void {
  assert.equal(found.length, expected.length);
  for (const [index, bytes] of found.entries())
    assert.equal(Buffer.from(bytes).toString("hex"), expected[index]?.toString("hex"), corpusDocuments[index]?.name);
}
