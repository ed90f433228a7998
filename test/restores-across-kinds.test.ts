import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, MongoClient } from "mongodb";
import { contentsOf, fill, odd } from "./support/deployment-contents.ts";
import { type ExternalWorld, startExternalWorld } from "./support/external-world.ts";

describe("a restore from an instance into a deployment that runs elsewhere, and back", () => {
  let here: ExternalWorld;
  let elsewhere: ExternalWorld;
  let instance: MongoClient;
  let external: MongoClient;
  let snapshotId: string;
  before(async () => {
    elsewhere = await startExternalWorld("29420-29439");
    here = await startExternalWorld("29440-29459");
    const connectionString = await elsewhere.instance("Elsewhere");
    const { status, body } = await here.call("POST", "", { name: "External", connectionString });
    assert.equal(status, 201, JSON.stringify(body));
    external = await new MongoClient(connectionString).connect();
    instance = await new MongoClient(await here.instance("Instance")).connect();
    await fill(instance);
    snapshotId = await here.snapshotInstance("Instance");
  });
  after(async () => {
    await instance?.close();
    await external?.close();
    await here?.stop();
    await elsewhere?.stop();
  });
  const intoExternal = (more: Document = {}): Promise<Document> =>
    here.restore("Instance", { snapshotId, targetKind: "external", targetName: "External", ...more });

  test("puts every document byte for byte, with options, indexes and views, into an empty one", async () => {
    const job = await intoExternal();
    assert.equal(job["status"], "completed", JSON.stringify(job));
    const contents = await contentsOf(external);
    assert.deepEqual(contents, await contentsOf(instance));
    assert.deepEqual((contents["odd.things"] as Document)["documents"], [odd.toString("hex")]);
    assert.deepEqual([job["targetName"], job["snapshotId"]], ["External", snapshotId]);
  });

  test("leaves one that holds anything as it is, unless it is said that it may be replaced", async () => {
    await external.db("shop").collection("orders").deleteMany({});
    await external.db("other").collection("mine").insertOne({ a: 1 });
    const before = await contentsOf(external);
    const refused = await intoExternal();
    assert.equal(refused["status"], "failed");
    assert.match(refused["failureReason"] as string, /^The target is not empty .* and nobody confirmed/);
    assert.deepEqual(await contentsOf(external), before);
    const job = await intoExternal({ replaceExisting: true });
    assert.equal(job["status"], "completed", JSON.stringify(job));
    assert.deepEqual(await contentsOf(external), await contentsOf(instance));
  });

  test("brings a snapshot of the external one into the instance, which is replaced whole", async () => {
    const snapshot = await here.snapshot("External");
    assert.equal(snapshot["status"], "completed", JSON.stringify(snapshot));
    await instance.db("shop").collection("orders").drop();
    await instance.db("later").collection("things").insertOne({ a: 1 });
    const wanted = { snapshotId: snapshot["id"], targetKind: "serverless", targetName: "Instance" };
    const job = await here.restore("External", wanted);
    assert.equal(job["status"], "completed", JSON.stringify(job));
    assert.deepEqual(await contentsOf(instance), await contentsOf(external));
  });

  test("is listed with the deployment whose snapshot was restored", async () => {
    const targetsOf = async (name: string): Promise<unknown> => {
      const { body } = await here.callAny("GET", `/${name}/restoreJobs`);
      return (body["results"] as readonly Document[]).map(({ targetName, status }) => [targetName, status]);
    };
    assert.deepEqual(await targetsOf("Instance"), [
      ["External", "completed"],
      ["External", "failed"],
      ["External", "completed"],
    ]);
    assert.deepEqual(await targetsOf("External"), [["Instance", "completed"]]);
  });
});
