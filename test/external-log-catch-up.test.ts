import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, MongoClient } from "mongodb";
import { EngineError } from "../src/engine/index.ts";
import { type ExternalWorld, startExternalWorld } from "./support/external-world.ts";
import { withFaultyDatabase } from "./support/faulty-database.ts";
import { runTelamon } from "./support/run-telamon.ts";

describe("an external deployment whose snapshot reads are refused and whose operation log can be read", () => {
  let world: ExternalWorld;
  before(async () => {
    world = await startExternalWorld("29420-29439");
  });
  after(() => world.stop());

  test("is backed up at one time by its log, which is told by the probe, the snapshot and the command line, and restores", async () => {
    const refuse = (): Promise<never> => Promise.reject(new EngineError(72, "InvalidOptions", "not supported"));
    await withFaultyDatabase(refuse, async (connectionString) => {
      const client = new MongoClient(connectionString);
      const counters = client.db("busy").collection<Document>("counters");
      await counters.insertMany(
        Array.from({ length: 3000 }, (_, n) => ({ _id: n as never, text: "x".repeat(300), n: 0 })),
      );
      const attached = await world.call("POST", "", { name: "Older", connectionString });
      assert.equal(attached.status, 201, JSON.stringify(attached.body));
      assert.equal((attached.body["probe"] as Document)["consistency"], "log_catch_up");
      const stop = new AbortController();
      const writing = (async () => {
        // Every step raises two counters that lie far apart: at one time they differ by one at most.
        for (let n = 1; !stop.signal.aborted; n += 1) {
          await counters.updateOne({ _id: 0 as never }, { $set: { n } });
          await counters.updateOne({ _id: 2999 as never }, { $set: { n } });
        }
      })();
      const snapshot = await world.snapshot("Older").finally(() => stop.abort());
      await writing;
      assert.equal(snapshot["status"], "completed", JSON.stringify(snapshot));
      assert.equal(snapshot["consistency"], "log_catch_up");
      assert.ok((snapshot["clusterTime"] as Document)["seconds"] > 1_700_000_000);
      const { output } = await runTelamon(["snapshots", "--data-dir", world.dataDirectory]);
      assert.match(output, new RegExp(`${snapshot["id"]} .* log_catch_up `));
      const instance = await world.instance("Target");
      const job = await world.restore("Older", {
        snapshotId: snapshot["id"],
        targetKind: "serverless",
        targetName: "Target",
      });
      assert.equal(job["status"], "completed", JSON.stringify(job));
      const restored = new MongoClient(instance);
      const found = restored.db("busy").collection<Document>("counters");
      const [one, other] = await Promise.all([
        found.findOne({ _id: 0 as never }),
        found.findOne({ _id: 2999 as never }),
      ]);
      assert.ok(
        one?.["n"] - other?.["n"] === 0 || one?.["n"] - other?.["n"] === 1,
        `${one?.["n"]} and ${other?.["n"]}`,
      );
      assert.equal(await found.countDocuments(), 3000);
      await restored.close();
      await client.close();
    });
  });
});
