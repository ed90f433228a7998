import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MongoClient } from "mongodb";
import { createFakeClock } from "../../../test/support/fake-clock.ts";
import { type Engine, EngineError, openEngine, type ReadOptions } from "../../engine/index.ts";
import type { Log } from "../../ports/log.ts";
import { CatalogueChanged } from "../../ports/snapshot-source.ts";
import { startWireListener } from "../../wire/listener.ts";
import { createSystemUser } from "../deployment-host-embedded/system-user.ts";
import { createSystemClock } from "../clock-system.ts";
import { createRandomIds } from "../ids-random.ts";
import { createMongoSource } from "./source-mongodb.ts";

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const never = new AbortController().signal;

/** A server whose snapshot reads do as told. */
async function withServer(
  beginSnapshot: (engine: Engine) => ReturnType<Engine["beginSnapshot"]>,
  work: (connectionString: string) => Promise<void>,
  onFind: (read: ReadOptions) => void = () => undefined,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "telamon-source-"));
  const clock = createSystemClock();
  const ids = createRandomIds(clock);
  const engine = await openEngine({
    path: join(folder, "1.sqlite"),
    clock,
    randomBytes: (length) => ids.randomBytes(length),
  });
  const server: Engine = new Proxy(engine, {
    get(_target, name) {
      if (name === "beginSnapshot") return () => beginSnapshot(engine);
      if (name === "find") {
        return (...find: Parameters<Engine["find"]>) => {
          onFind(find[2]);
          return engine.find(...find);
        };
      }
      const value: unknown = Reflect.get(engine, name);
      return typeof value === "function" ? value.bind(engine) : value;
    },
  });
  const { username, password, credential } = createSystemUser(ids);
  const listener = await startWireListener({
    host: "127.0.0.1",
    port: 0,
    deploymentId: ids.objectId(),
    replicaSetName: "set",
    serverVersion: "8.0.0",
    openEngine: async () => server,
    directory: { findCredential: async () => undefined, list: async () => [] },
    systemUser: credential,
    clock,
    ids,
    log: silent,
  });
  try {
    await work(`mongodb://${username}:${password}@127.0.0.1:${listener.port}/?directConnection=true`);
  } finally {
    await listener.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}

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
      await withServer(beginSnapshot, async (connectionString) => {
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
    await withServer(
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
    await withServer(beginSnapshot, async (connectionString) => {
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
    await withServer(
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
