import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Collection, MongoClient, type MongoClientOptions, Timestamp } from "mongodb";
import { withFaultyDatabase } from "../../../test/support/faulty-database.ts";
import { type HostedDatabases, openHostedDatabases } from "../../../test/support/hosted-databases.ts";
import { applyDifference, type Engine, EngineError, getField, textOf, type Value } from "../../engine/index.ts";
import { CatalogueChanged, type SourceReading } from "../../ports/snapshot-source.ts";
import { createSystemClock } from "../clock-system.ts";
import { createMongoSource } from "./source-mongodb.ts";

const never = new AbortController().signal;
const writers = 6;

/** As servers before 5.0, or with snapshot reads switched off. */
const refuse = (): ReturnType<Engine["beginSnapshot"]> =>
  Promise.reject(new EngineError(72, "InvalidOptions", "readConcern level snapshot is not supported"));

interface Thing {
  readonly _id: string;
  readonly [field: string]: unknown;
}

describe("a deployment without snapshot reads, whose operation log can be read", () => {
  let databases: HostedDatabases;
  let scratchId: string;
  before(async () => {
    databases = await openHostedDatabases();
    scratchId = databases.ids.objectId();
  });
  const clients: MongoClient[] = [];
  const connect = (connectionString: string, options: MongoClientOptions = {}): MongoClient => {
    const client = new MongoClient(connectionString, options);
    clients.push(client);
    return client;
  };
  after(async () => {
    for (const client of clients) await client.close(true);
    await databases.close();
  });
  const open = (connectionString: string, signal = never): Promise<SourceReading> =>
    createMongoSource(createSystemClock(), {
      scratch: {
        open: () => databases.host.openStaging(scratchId, 1),
        remove: () => databases.host.remove(scratchId),
      },
    }).open(connectionString, signal);

  test(`read while ${writers} clients write, is exactly what it was at the time that is told`, async () => {
    await withFaultyDatabase(refuse, async (connectionString) => {
      const client = connect(connectionString, { maxPoolSize: writers + 4 });
      const things = client.db("busy").collection<Thing>("things");
      const others = client.db("busy").collection<Thing>("others");
      const lines = Array.from({ length: 30 }, (_, n) => ({ n, text: "x".repeat(20) }));
      for (let first = 0; first < 8000; first += 2000)
        await things.insertMany(
          Array.from({ length: 2000 }, (_, n) => ({ _id: `first-${first + n}`, lines, name: { a: 1, b: { c: 2 } } })),
        );
      const stop = new AbortController();
      const writing = Array.from({ length: writers }, (_, writer) =>
        write(client, things, others, writer, stop.signal),
      );
      await until(async () => (await others.estimatedDocumentCount()) > writers);
      const reading = await open(connectionString).finally(() => stop.abort());
      await Promise.all(writing);
      const { consistency, clusterTime } = reading.facts;
      assert.equal(consistency, "log_catch_up");
      const at = new Timestamp({ t: clusterTime?.seconds ?? 0, i: clusterTime?.increment ?? 0 });
      const entries = await entriesUpTo(client, at);
      const all = (await entriesUpTo(client, new Timestamp({ t: 2_000_000_000, i: 1 }))).length;
      assert.ok(all > entries.length, "the writers went on after the time that is told");
      for (const name of ["things", "others"]) {
        const documents = split(Buffer.concat(await Array.fromAsync(reading.documents("busy", name))));
        assert.deepEqual(sorted(documents), sorted([...stateAfter(entries, `busy.${name}`).values()]), name);
        assert.ok(documents.length > writers);
      }
      await reading.confirmCatalogue();
      await reading.close();
    });
  });

  test("collections that are made, dropped or given indexes meanwhile are told as a changed catalogue", async () => {
    for (const change of [
      (database: ReturnType<MongoClient["db"]>) => database.createCollection("late"),
      (database: ReturnType<MongoClient["db"]>) => database.collection("second").createIndex({ a: 1 }),
      (database: ReturnType<MongoClient["db"]>) => database.collection("second").drop(),
      (database: ReturnType<MongoClient["db"]>) => database.collection("second").rename("third"),
    ])
      await withFaultyDatabase(refuse, async (connectionString) => {
        const client = connect(connectionString);
        await client.db("shop").collection("first").insertOne({ a: 1 });
        await client.db("shop").collection("second").insertOne({ a: 1 });
        await assert.rejects(
          createMongoSource(createSystemClock(), {
            scratch: {
              // Between the beginning of the log that counts and its end.
              async open() {
                const staging = await databases.host.openStaging(scratchId, 1);
                let isChanged = false;
                return {
                  ...staging,
                  async createCollection(description) {
                    await staging.createCollection(description);
                    if (!isChanged) await change(client.db("shop"));
                    isChanged = true;
                  },
                };
              },
              remove: () => databases.host.remove(scratchId),
            },
          }).open(connectionString, never),
          CatalogueChanged,
        );
      });
  });

  test("that nobody writes to is read as it is, views, collections without documents and all", async () => {
    await withFaultyDatabase(refuse, async (connectionString) => {
      const client = connect(connectionString);
      await client
        .db("shop")
        .collection("orders")
        .insertOne({ _id: 1 as never, "2": 1, "1": 2 });
      await client.db("shop").createCollection("empty");
      await client.db("shop").createCollection("seen", { viewOn: "orders", pipeline: [] });
      const reading = await open(connectionString);
      assert.deepEqual(
        reading.collections.map(({ name, type }) => [name, type]),
        [
          ["empty", "collection"],
          ["orders", "collection"],
          ["seen", "view"],
        ],
      );
      assert.equal((await Array.fromAsync(reading.documents("shop", "empty"))).length, 0);
      const [bytes] = (await client
        .db("shop")
        .collection("orders")
        .find({}, { raw: true })
        .toArray()) as unknown as Uint8Array[];
      assert.deepEqual(
        Buffer.concat(await Array.fromAsync(reading.documents("shop", "orders"))),
        Buffer.from(bytes ?? []),
      );
      await reading.close();
    });
  });
});

/** All that a log can tell of documents: inserts, changes within, replacements, deletions, and transactions over both collections. */
async function write(
  client: MongoClient,
  things: Collection<Thing>,
  others: Collection<Thing>,
  writer: number,
  signal: AbortSignal,
): Promise<void> {
  for (let step = 1; !signal.aborted; step += 1) {
    const mine = `first-${(step * 7 + writer * 1300) % 8000}`;
    await things.updateOne({ _id: mine }, { $set: { [`lines.${step % 40}.text`]: `by ${writer}`, "name.b.c": step } });
    await things.updateOne(
      { _id: mine },
      step % 3 === 0 ? { $unset: { name: 1 } } : { $set: { name: { a: step, b: { d: 1 } } } },
    );
    await things.updateOne({ _id: mine }, { $push: { lines: { $each: [{ step }], $slice: -35 } } } as never);
    await things.deleteOne({ _id: `first-${(step * 11 + writer * 700) % 8000}` });
    await things.insertOne({ _id: `${writer}-${step}`, step });
    await things.replaceOne({ _id: mine }, { replaced: step, lines: [] }, { upsert: step % 5 === 0 });
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await others.insertOne({ _id: `${writer}-${step}`, step }, { session });
        await others.updateOne({ _id: `counter-${writer}` }, { $set: { step } }, { upsert: true, session });
        await things.deleteOne({ _id: `${writer}-${step - 3}` }, { session });
      }),
    );
  }
}

async function entriesUpTo(client: MongoClient, at: Timestamp): Promise<readonly Uint8Array[]> {
  const log = client.db("local").collection("oplog.rs");
  return (await log
    .find({ ts: { $lte: at } }, { raw: true })
    .sort({ $natural: 1 })
    .toArray()) as unknown as Uint8Array[];
}

/** Documents of a collection after entries that tell of it from its first document on, by the bytes of their `_id`. */
function stateAfter(entries: readonly Uint8Array[], namespace: string): ReadonlyMap<string, Uint8Array> {
  const state = new Map<string, Uint8Array>();
  const apply = (entry: Uint8Array): void => {
    const op = textOf(getField(entry, "op") as Value);
    const o = (getField(entry, "o") as Value).bytes();
    const inner = getField(o, "applyOps");
    if (inner !== undefined) return elements(inner.bytes()).forEach(apply);
    if (textOf(getField(entry, "ns") as Value) !== namespace || op === "c") return;
    const id = Buffer.from(
      (getField((getField(entry, "o2") as Value | undefined)?.bytes() ?? o, "_id") as Value).bytes(),
    ).toString("hex");
    if (op === "d") state.delete(id);
    else if (op === "i" || getField(o, "diff") === undefined) state.set(id, o);
    else state.set(id, applyDifference(state.get(id) as Uint8Array, (getField(o, "diff") as Value).bytes()));
  };
  entries.forEach(apply);
  return state;
}

function elements(array: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let index = 0; ; index += 1) {
    const value = getField(array, String(index));
    if (value === undefined) return found;
    found.push(value.bytes());
  }
}

function split(documents: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let position = 0; position < documents.length; position += documents.readInt32LE(position))
    found.push(documents.subarray(position, position + documents.readInt32LE(position)));
  return found;
}

function sorted(documents: readonly Uint8Array[]): string[] {
  return documents.map((bytes) => Buffer.from(bytes).toString("latin1")).toSorted();
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((fulfil) => setTimeout(fulfil, 5));
}
