import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { type Document, Double, Long, MongoClient } from "mongodb";
import { startFerretDb } from "../bench/engine/ferretdb.ts";
import type { BenchServer } from "../bench/engine/server.ts";
import { type ExternalWorld, startExternalWorld } from "./support/external-world.ts";
import { describeUnless } from "./support/describe-unless.ts";

const isBuilt = existsSync(resolve(import.meta.dirname, "../.cache/ferretdb/v1.24.2/ferretdb"));
const skip = isBuilt ? false : "FerretDB is not built here; npm run bench:engine builds it";

describeUnless(skip, "FerretDB over SQLite, which has neither snapshot reads nor an operation log", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-ferretdb-"));
  let world: ExternalWorld;
  let ferretdb: BenchServer;
  before(async () => {
    ferretdb = await startFerretDb(folder);
    world = await startExternalWorld("29300-29339");
    const things = ferretdb.client.db("far").collection<Document>("things");
    await things.insertMany(
      Array.from({ length: 3000 }, (_, index) => ({
        _id: index as never,
        double: new Double(index),
        long: Long.fromNumber(index),
        text: "x".repeat(index % 200),
        nested: { list: [1, "two", null] },
      })),
    );
    await things.createIndex({ text: 1 }, { name: "by text" });
    await ferretdb.client
      .db("far")
      .collection<Document>("empty")
      .insertOne({ _id: 1 as never });
    await ferretdb.client.db("far").collection<Document>("empty").deleteMany({});
  });
  after(async () => {
    await world?.stop();
    await ferretdb?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is found by trying to allow best effort alone", async () => {
    const { status, body } = await world.call("POST", "", { name: "Ferret", connectionString: ferretdb.uri });
    assert.equal(status, 201, JSON.stringify(body));
    const { topology, consistency, snapshotReads, operationLogReadable } = body["probe"] as Document;
    assert.deepEqual(
      [topology, consistency, snapshotReads, operationLogReadable],
      ["standalone", "best_effort", false, false],
    );
  });

  test("is backed up, says that it was best effort, and comes back byte for byte in an instance", async () => {
    const snapshot = await world.snapshot("Ferret");
    assert.equal(snapshot["status"], "completed", JSON.stringify(snapshot));
    assert.deepEqual([snapshot["consistency"], snapshot["clusterTime"]], ["best_effort", undefined]);
    const instance = await world.instance("Target");
    const job = await world.restore("Ferret", {
      snapshotId: snapshot["id"],
      targetKind: "serverless",
      targetName: "Target",
    });
    assert.equal(job["status"], "completed", JSON.stringify(job));
    const restored = new MongoClient(instance);
    try {
      assert.deepEqual(await rawDocuments(restored), await rawDocuments(ferretdb.client));
      const indexes = await restored.db("far").collection("things").indexes();
      assert.deepEqual(
        indexes.map(({ name, key }) => [name, key]),
        [
          ["_id_", { _id: 1 }],
          ["by text", { text: 1 }],
        ],
      );
      assert.equal(await restored.db("far").collection("empty").countDocuments(), 0);
    } finally {
      await restored.close();
    }
  });

  test("a restore drill proves the snapshot", async () => {
    const drilled = await world.drill();
    assert.deepEqual(
      drilled.map(({ proven }) => proven),
      [true],
    );
  });
});

async function rawDocuments(client: MongoClient): Promise<readonly string[]> {
  const documents = (await client
    .db("far")
    .collection("things")
    .find({}, { raw: true, sort: { _id: 1 } })
    .toArray()) as unknown as Uint8Array[];
  return documents.map((bytes) => Buffer.from(bytes).toString("hex"));
}
