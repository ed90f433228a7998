import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { type Document, MongoClient, MongoServerError } from "mongodb";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { createRandomIds } from "../../src/adapters/ids-random.ts";
import { commands } from "../../src/commands/index.ts";
import { privilegeActions } from "../../src/commands/privileges.ts";
import { type Engine, openEngine } from "../../src/engine/index.ts";
import type { DatabaseRole, DatabaseUserCredential } from "../../src/ports/database-user-directory.ts";
import { startWireListener, type WireListener } from "../../src/wire/listener.ts";

const clock = createSystemClock();
const ids = createRandomIds(clock);
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function user(username: string, ...roles: readonly DatabaseRole[]): DatabaseUserCredential {
  const salt = randomBytes(28);
  const salted = pbkdf2Sync("password", salt, 4096, 32, "sha256");
  const clientKey = createHmac("sha256", salted).update("Client Key").digest();
  const storedKey = createHash("sha256").update(clientKey).digest();
  return {
    username,
    credential: {
      salt,
      iterationCount: 4096,
      storedKey,
      serverKey: createHmac("sha256", salted).update("Server Key").digest(),
    },
    roles,
  };
}

describe("the database through the official driver", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-wire-"));
  const users = [
    user("admin", { roleName: "atlasAdmin", databaseName: "admin" }),
    user("reader", { roleName: "read", databaseName: "shop" }),
    user("writer", { roleName: "readWrite", databaseName: "shop" }),
    user("one", { roleName: "read", databaseName: "shop", collectionName: "orders" }),
  ];
  let engine: Engine;
  let listener: WireListener;
  const clients: MongoClient[] = [];

  before(async () => {
    engine = await openEngine({
      path: join(folder, "data.sqlite"),
      clock,
      randomBytes: (length) => ids.randomBytes(length),
    });
    listener = await startWireListener({
      host: "127.0.0.1",
      port: 0,
      deploymentId: "test",
      replicaSetName: "rs",
      serverVersion: "8.0.0",
      openEngine: async () => engine,
      directory: {
        findCredential: async (_deployment, _database, name) => users.find(({ username }) => username === name),
        list: async () => [],
      },
      systemUser: undefined,
      clock,
      ids,
      log: silent,
    });
    await as("admin")
      .db("shop")
      .collection("orders")
      .insertMany(Array.from({ length: 3000 }, (_, n) => ({ _id: n as never, n, text: "x".repeat(200) })));
  });
  after(async () => {
    for (const client of clients) await client.close();
    await listener.close();
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  function as(name: string, password = "password"): MongoClient {
    const client = new MongoClient(
      `mongodb://${name}:${password}@127.0.0.1:${listener.port}/?replicaSet=rs&authSource=admin&serverSelectionTimeoutMS=3000`,
    );
    clients.push(client);
    return client;
  }

  const refusedWith =
    (code: number) =>
    (error: unknown): boolean =>
      error instanceof MongoServerError && error.code === code;

  test("a wrong password and an unknown user get the same answer", async () => {
    const wrong = await as("admin", "no")
      .connect()
      .catch((error: Error) => error.message);
    const unknown = await as("nobody")
      .connect()
      .catch((error: Error) => error.message);
    assert.equal(wrong, "Authentication failed.");
    assert.equal(unknown, wrong);
  });

  test("nothing but the handshake is answered before login", async () => {
    const client = new MongoClient(`mongodb://127.0.0.1:${listener.port}/?directConnection=true`);
    clients.push(client);
    assert.equal((await client.db("admin").command({ ping: 1 })).ok, 1);
    await assert.rejects(client.db("shop").collection("orders").findOne({}), refusedWith(13));
    await assert.rejects(client.db("shop").command({ listCollections: 1 }), refusedWith(13));
  });

  test("roles hold for each database and collection", async () => {
    assert.equal(await as("reader").db("shop").collection("orders").countDocuments({}), 3000);
    await assert.rejects(as("reader").db("shop").collection("orders").insertOne({}), refusedWith(13));
    await assert.rejects(as("reader").db("other").collection("x").findOne({}), refusedWith(13));
    await as("writer").db("shop").collection("written").insertOne({});
    await assert.rejects(as("writer").db("shop").dropDatabase(), refusedWith(13));
    await assert.rejects(as("writer").db("other").collection("x").insertOne({}), refusedWith(13));
    assert.equal((await as("one").db("shop").collection("orders").findOne({ n: 5 }))?.n, 5);
    await assert.rejects(as("one").db("shop").collection("written").findOne({}), refusedWith(13));
    assert.deepEqual(
      (await as("reader").db("admin").admin().listDatabases()).databases.map(({ name }) => name),
      ["shop"],
    );
  });

  test("every command says what it does, for roles to decide", () => {
    assert.ok(commands.length >= 35);
    for (const { name, action } of commands)
      assert.ok(["open", "any"].includes(action) || Object.hasOwn(privilegeActions, action), name);
    assert.deepEqual(
      commands
        .filter(({ action }) => action === "open")
        .map(({ name }) => name)
        .toSorted(),
      [
        "buildInfo",
        "buildinfo",
        "connectionStatus",
        "hello",
        "isMaster",
        "ismaster",
        "logout",
        "ping",
        "saslContinue",
        "saslStart",
        "whatsmyuri",
      ],
    );
  });

  test("a snapshot session sees one time while others write", async () => {
    const client = as("admin");
    const collection = client.db("shop").collection("snapshot");
    await collection.insertMany(Array.from({ length: 2500 }, (_, n) => ({ n })));
    const session = client.startSession({ snapshot: true });
    const cursor = collection.find({}, { session, batchSize: 100 });
    await cursor.next();
    await collection.deleteMany({ n: { $lt: 2000 } });
    await collection.insertOne({ n: -1 });
    assert.equal((await cursor.toArray()).length + 1, 2500);
    assert.equal(await collection.countDocuments({}, { session }), 2500);
    assert.equal(await collection.countDocuments({}), 501);
    await session.endSession();
  });

  const refusals: readonly (readonly [string, Document, number])[] = [
    ["an unknown stage", { aggregate: "orders", pipeline: [{ $nothing: 1 }], cursor: {} }, 40_324],
    [
      "a stage that is not served",
      {
        aggregate: "orders",
        pipeline: [{ $search: { text: { query: "a", path: "b" } } }],
        cursor: {},
      },
      238,
    ],
    ["an unknown operator", { find: "orders", filter: { n: { $near: 1 } } }, 238],
    ["$where", { find: "orders", filter: { $where: "true" } }, 238],
    ["a field nobody knows", { find: "orders", filtre: {} }, 40_415],
    ["a tailable cursor on a collection that is not capped", { find: "orders", tailable: true }, 2],
    ["a command MongoDB has and this has not", { compact: "orders" }, 238],
    ["a command nobody has", { fly: 1 }, 59],
    ["a pipeline update with other stages", { update: "orders", updates: [{ q: {}, u: [{ $match: { a: 1 } }] }] }, 0],
    ["a bad namespace", { find: "" }, 73],
  ];
  for (const [name, command, code] of refusals) {
    test(`${name} is refused with MongoDB's code, not answered wrongly`, async () => {
      const run = as("admin").db("shop").command(command);
      if (code !== 0) return assert.rejects(run, refusedWith(code));
      assert.equal(((await run) as { writeErrors?: { code: number }[] }).writeErrors?.[0]?.code, 72);
    });
  }

  test("a pattern that backtracks without end is answered all the same", async () => {
    assert.equal(
      await as("admin")
        .db("shop")
        .collection("orders")
        .countDocuments({ text: { $regex: "(x+)+y" } }),
      0,
    );
  });

  test("maxTimeMS ends a long query", async () => {
    const slow = as("admin")
      .db("shop")
      .collection("orders")
      .find({ text: { $regex: "(x+)+y" } }, { maxTimeMS: 1 });
    await assert.rejects(slow.toArray(), refusedWith(50));
  });

  test("whatever bytes come, the server answers or hangs up and goes on serving", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.boolean(), async (bytes, framed) => {
        const message = framed ? Buffer.concat([header(bytes.length + 16), bytes]) : Buffer.from(bytes);
        await new Promise<void>((fulfil) => {
          const socket = connect(listener.port, "127.0.0.1", () => socket.end(message));
          socket.on("data", () => undefined);
          socket.on("error", () => undefined);
          socket.on("close", () => fulfil());
          setTimeout(() => socket.destroy(), 500).unref();
        });
      }),
      { numRuns: 150 },
    );
    assert.equal((await as("admin").db("admin").command({ ping: 1 })).ok, 1);
  });
});

/** The header of an OP_MSG message of that length. */
function header(length: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(length, 0);
  bytes.writeInt32LE(2013, 12);
  return bytes;
}
