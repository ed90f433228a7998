import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, MongoClient } from "mongodb";
import { contentsOf, fill, odd } from "./support/deployment-contents.ts";
import { type ExternalWorld, startExternalWorld } from "./support/external-world.ts";

describe("a restore into a deployment that runs elsewhere", () => {
  let here: ExternalWorld;
  let elsewhere: ExternalWorld;
  let source: MongoClient;
  let target: MongoClient;
  let snapshotId: string;
  before(async () => {
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
    const { status, body } = await here.callAny("POST", "/Source/restoreJobs", wanted);
    assert.deepEqual([status, body["errorCode"]], [400, "INVALID_ATTRIBUTE"]);
  });
});
