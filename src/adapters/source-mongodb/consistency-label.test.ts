import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MongoClient } from "mongodb";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { withFaultyDatabase } from "../../../test/support/faulty-database.ts";
import { type Engine, EngineError, type ReadOptions } from "../../engine/index.ts";
import { CatalogueChanged } from "../../ports/snapshot-source.ts";
import { createMongoSource } from "./source-mongodb.ts";

const never = new AbortController().signal;

async function insert(connectionString: string, name: string): Promise<void> {
  const client = new MongoClient(connectionString);
  await client
    .db("shop")
    .collection(name)
    .insertOne({ _id: 1 as never });
  await client.close();
}

describe("how a reading is labelled", () => {
  const refusals = [
    [
      "says that it is no replica set",
      () => Promise.reject(new EngineError(123, "NotAReplicaSet", "not a replica set")),
    ],
    [
      "does not know the read concern",
      () => Promise.reject(new EngineError(72, "InvalidOptions", "readConcern level snapshot is not supported")),
    ],
    ["answers as if it could and names no time", () => Promise.resolve(undefined as never)],
  ] as const;
  for (const [what, beginSnapshot] of refusals) {
    test(`a server that ${what} is read as best effort, without a time, and any change of its catalogue counts`, async () => {
      await withFaultyDatabase(beginSnapshot, async (connectionString) => {
        await insert(connectionString, "orders");
        const reading = await createMongoSource(createFakeClock()).open(connectionString, never);
        assert.deepEqual([reading.facts.consistency, reading.facts.clusterTime], ["best_effort", undefined]);
        assert.equal((await Array.fromAsync(reading.documents("shop", "orders"))).length, 1);
        await reading.confirmCatalogue();
        await insert(connectionString, "later");
        await assert.rejects(reading.confirmCatalogue(), CatalogueChanged);
        await reading.close();
      });
    });
  }

  test("a server that fails at the moment is not taken for one without snapshot reads", async () => {
    await withFaultyDatabase(
      () => Promise.reject(new EngineError(246, "SnapshotUnavailable", "not just now")),
      async (connectionString) => {
        await insert(connectionString, "orders");
        await assert.rejects(createMongoSource(createFakeClock()).open(connectionString, never), /not just now/);
      },
    );
  });

  test("a catalogue that changes while the time is fixed is read again until it stood still, so that none of its collections is missed", async () => {
    let changes = 2;
    const beginSnapshot = async (engine: Engine): ReturnType<Engine["beginSnapshot"]> => {
      if (changes > 0)
        await engine.createCollection(
          { database: "shop", collection: `late${changes}` },
          Uint8Array.of(5, 0, 0, 0, 0),
          { signal: never, durable: false },
        );
      changes -= 1;
      return engine.beginSnapshot();
    };
    await withFaultyDatabase(beginSnapshot, async (connectionString) => {
      await insert(connectionString, "orders");
      const reading = await createMongoSource(createFakeClock()).open(connectionString, never);
      assert.deepEqual(
        reading.collections.map(({ name }) => name),
        ["late1", "late2", "orders"],
      );
      assert.equal(reading.facts.consistency, "exact");
      await reading.close();
    });
  });

  test("its time is asked for again every minute, so that a long reading does not lose it", async () => {
    const times: ReadOptions["atClusterTime"][] = [];
    const onFind = ({ atClusterTime }: ReadOptions): void => void times.push(atClusterTime);
    await withFaultyDatabase(
      (engine) => engine.beginSnapshot(),
      async (connectionString) => {
        const client = new MongoClient(connectionString);
        const many = Array.from({ length: 15_000 }, (_, index) => ({ _id: index, filler: "x".repeat(250) }));
        await client
          .db("shop")
          .collection("orders")
          .insertMany(many as never[]);
        const clock = createFakeClock();
        const reading = await createMongoSource(clock).open(connectionString, never);
        times.length = 0;
        let pieces = 0;
        for await (const piece of reading.documents("shop", "orders")) {
          pieces += piece.length > 0 ? 1 : 0;
          clock.advance(30_001);
        }
        await reading.close();
        await client.close();
        assert.ok(pieces >= 3, "one read of all and one at least to hold the time");
        assert.ok(times.length >= 2);
        assert.ok(
          times.every(
            (time) =>
              time?.seconds === reading.facts.clusterTime?.seconds &&
              time?.increment === reading.facts.clusterTime?.increment,
          ),
        );
      },
      onFind,
    );
  });
});
