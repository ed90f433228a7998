import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type Db,
  type Document,
  Int32,
  Long,
  MongoServerError,
  type ServerHeartbeatSucceededEvent,
  Timestamp,
  UUID,
} from "mongodb";
import { commands } from "../../src/commands/index.ts";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

const code =
  (...wanted: readonly number[]) =>
  (error: unknown): boolean =>
    error instanceof MongoServerError && wanted.includes(Number(error.code));

describe("commands, as drivers send them", () => {
  let world: WireWorld;
  let shop: Db;
  before(async () => {
    world = await startWireWorld({
      users: [
        databaseUser("reader", { roleName: "read", databaseName: "shop" }),
        databaseUser("one", { roleName: "readWrite", databaseName: "shop", collectionName: "orders" }),
        databaseUser("any", { roleName: "readAnyDatabase", databaseName: "admin" }),
        databaseUser("monitor", { roleName: "clusterMonitor", databaseName: "admin" }),
        databaseUser("nothing", { roleName: "enableSharding", databaseName: "admin" }),
      ],
    });
    shop = world.as("admin").db("shop");
    await shop.collection("orders").insertMany(Array.from({ length: 250 }, (_, n) => ({ _id: n as never, n })));
    await shop.collection("secrets").insertOne({ n: 1 });
  });
  after(() => world.stop());

  describe("cursors", () => {
    const batch = async (command: Document): Promise<{ id: Long; firstBatch: Document[] }> =>
      (await shop.command(command, { promoteLongs: false }))["cursor"] as { id: Long; firstBatch: Document[] };

    test("the first batch has 101 documents unless another number is asked for, none included", async () => {
      assert.equal((await batch({ find: "orders" })).firstBatch.length, 101);
      assert.equal((await batch({ find: "orders", batchSize: 7 })).firstBatch.length, 7);
      const none = await batch({ find: "orders", batchSize: 0 });
      assert.equal(none.firstBatch.length, 0);
      assert.ok(!none.id.isZero());
      assert.equal((await batch({ aggregate: "orders", pipeline: [], cursor: {} })).firstBatch.length, 101);
      assert.equal((await batch({ aggregate: "orders", pipeline: [], cursor: { batchSize: 9 } })).firstBatch.length, 9);
    });

    test("a single batch, a limit or the end leaves no cursor open", async () => {
      assert.ok((await batch({ find: "orders", singleBatch: true, batchSize: 5 })).id.isZero());
      assert.ok((await batch({ find: "orders", limit: 5 })).id.isZero());
      assert.ok((await batch({ find: "orders", batchSize: 251 })).id.isZero());
    });

    test("lists come by cursors too", async () => {
      const first = (await shop.command({ listCollections: 1, cursor: { batchSize: 1 } }))["cursor"] as Document;
      assert.equal(first["firstBatch"].length, 1);
      assert.notEqual(first["id"], 0);
      assert.equal((await shop.listCollections({}, { batchSize: 1 }).toArray()).length, 2);
      assert.equal((await shop.collection("orders").listIndexes().toArray()).length, 1);
    });

    test("killed cursors, ended sessions and unknown ids are not found", async () => {
      const id = new Long(5);
      await assert.rejects(shop.command({ getMore: id, collection: "orders" }), code(43));
      const killed = await shop.command({ killCursors: "orders", cursors: [id] });
      assert.deepEqual(killed["cursorsNotFound"].map(Number), [5]);
      const client = world.as("admin");
      const session = client.startSession();
      const open = (
        await client.db("shop").command({ find: "orders", batchSize: 1 }, { session, promoteLongs: false })
      )["cursor"] as { id: Long };
      await client.db("admin").command({ endSessions: [session.id] });
      await assert.rejects(
        client.db("shop").command({ getMore: open.id, collection: "orders" }, { session }),
        code(43),
      );
    });

    test("a getMore with a time limit is refused, since it waits for nothing", async () => {
      const { id } = await batch({ find: "orders", batchSize: 1 });
      await assert.rejects(shop.command({ getMore: id, collection: "orders", maxTimeMS: 5 }), code(2));
    });
  });

  describe("what is written", () => {
    test("a promise one node cannot give is said, and the write is there", async () => {
      const raw = await world.raw();
      await raw.login("admin", "password");
      for (const [w, wanted] of [
        [2, 100],
        ["datacenter", 79],
      ] as const) {
        const writeConcern = { w, wtimeout: 5 };
        const reply = await raw.command({ insert: "concern", documents: [{ w }], writeConcern }, "shop");
        assert.deepEqual([reply["ok"], reply["n"], reply["writeConcernError"].code], [1, 1, wanted]);
        assert.equal(await shop.collection("concern").countDocuments({ w }), 1);
      }
    });

    test("what is no write concern is refused, and so is one for a command that only reads", async () => {
      for (const writeConcern of [{ w: 51 }, { w: -1 }, { w: 1.5 }, { w: true }, { j: "yes" }, { unknown: 1 }])
        await assert.rejects(shop.command({ insert: "refused", documents: [{}], writeConcern }), code(9));
      await assert.rejects(shop.command({ find: "orders", writeConcern: { w: 1 } }), code(72));
      assert.equal(await shop.collection("refused").countDocuments({}), 0);
    });

    test("the same write again, with the same number in the same session, changes nothing; another user's is another", async () => {
      const lsid = { id: new UUID() };
      const again = async (name: string): Promise<unknown> => {
        const raw = await world.raw();
        await raw.login(name, "password");
        const insert = { insert: "orders", documents: [{ retried: true }], lsid, txnNumber: new Long(1) };
        return (await raw.command(insert, "shop"))["n"];
      };
      assert.deepEqual([await again("admin"), await again("admin")], [1, 1]);
      assert.equal(await shop.collection("orders").countDocuments({ retried: true }), 1);
      assert.equal(await again("one"), 1);
      assert.equal(await shop.collection("orders").countDocuments({ retried: true }), 2);
      await shop.collection("orders").deleteMany({ retried: true });
    });

    test("a number without a session, of a wrong type, or for what cannot be retried is refused", async () => {
      const lsid = { id: new UUID() };
      const raw = await world.raw();
      await raw.login("admin", "password");
      const codeOf = async (command: Document): Promise<unknown> => (await raw.command(command, "shop"))["code"];
      const insert = { insert: "orders", documents: [{}] };
      assert.equal(await codeOf({ ...insert, txnNumber: new Long(1) }), 72);
      assert.equal(await codeOf({ ...insert, lsid, txnNumber: new Int32(1) }), 14);
      assert.equal(await codeOf({ find: "orders", lsid, txnNumber: new Long(1) }), 50_768);
      const updates = [{ q: {}, u: { $set: { a: 1 } }, multi: true }];
      assert.equal(await codeOf({ update: "orders", updates, lsid, txnNumber: new Long(1) }), 72);
      assert.equal(
        await codeOf({ delete: "orders", deletes: [{ q: {}, limit: 0 }], lsid, txnNumber: new Long(1) }),
        72,
      );
      assert.equal(await codeOf({ ping: 1, lsid: { id: "x" } }), 9);
      assert.equal(await codeOf({ ping: 1, lsid: 5 }), 14);
    });
  });

  describe("what is read", () => {
    test("a snapshot session's first read tells its time, in the cursor or beside the values", async () => {
      const readConcern = { level: "snapshot" };
      for (const command of [{ find: "orders" }, { aggregate: "orders", pipeline: [], cursor: {} }])
        assert.ok((await shop.command({ ...command, readConcern }))["cursor"].atClusterTime instanceof Timestamp);
      const first = await shop.command({ distinct: "orders", key: "n", readConcern });
      assert.ok(first["atClusterTime"] instanceof Timestamp);
      await shop.collection("orders").insertOne({ n: -5 });
      const later = await shop.command({
        distinct: "orders",
        key: "n",
        readConcern: { level: "snapshot", atClusterTime: first["atClusterTime"] },
      });
      assert.deepEqual(later["values"], first["values"]);
      await shop.collection("orders").deleteOne({ n: -5 });
    });

    test("commands that cannot read at one time say so", async () => {
      const client = world.as("admin");
      const session = client.startSession({ snapshot: true });
      const db = client.db("shop");
      await assert.rejects(db.collection("orders").insertOne({}, { session }), code(72));
      await assert.rejects(db.collection("orders").estimatedDocumentCount({ session }), code(72));
      await assert.rejects(db.listCollections({}, { session }).toArray(), code(72));
      await session.endSession();
    });

    test("the other levels are all the same with one node; what is none is refused", async () => {
      for (const level of ["local", "available", "majority", "linearizable"])
        assert.equal((await shop.command({ count: "orders", readConcern: { level } }))["n"], 250);
      await assert.rejects(shop.command({ find: "orders", readConcern: { level: "best" } }), code(2));
      await assert.rejects(shop.command({ find: "orders", readConcern: { level: 5 } }), code(14));
      await assert.rejects(shop.command({ find: "orders", readConcern: { other: 5 } }), code(9));
      const atClusterTime = new Timestamp({ t: 1, i: 1 });
      await assert.rejects(shop.command({ find: "orders", readConcern: { atClusterTime } }), code(72));
      await assert.rejects(
        shop.command({ find: "orders", readConcern: { level: "snapshot", atClusterTime } }),
        code(239),
      );
    });

    test("a hint has to name an index, wherever it is given", async () => {
      await shop.collection("hinted").createIndex({ a: 1 }, { name: "a", sparse: true });
      const hint = "nothing";
      for (const command of [
        { find: "orders", hint },
        { count: "orders", query: { n: 1 }, hint },
        { distinct: "orders", key: "n", hint },
        { aggregate: "orders", pipeline: [], cursor: {}, hint },
        { findAndModify: "orders", query: { n: 1 }, remove: true, hint },
      ])
        await assert.rejects(shop.command(command), code(2), JSON.stringify(command));
      assert.equal((await shop.command({ count: "orders", query: { n: 1 }, hint: "_id_" }))["n"], 1);
      assert.equal((await shop.command({ count: "orders", query: { n: 1 }, hint: { _id: 1 } }))["n"], 1);
      for (const command of [
        { delete: "orders", deletes: [{ q: { n: 1 }, limit: 1, hint }] },
        { update: "orders", updates: [{ q: { n: 1 }, u: { $set: { n: 2 } }, hint }] },
      ])
        assert.equal((await shop.command(command))["writeErrors"]?.[0].code, 2, JSON.stringify(command));
      await shop.collection("hinted").insertMany([{ a: 1 }, { b: 1 }]);
      assert.equal((await shop.command({ count: "hinted", query: {}, hint: "a" }))["n"], 1, "what a sparse index has");
      await shop.collection("hinted").drop();
    });
  });

  describe("what is asked for", () => {
    const refused: readonly (readonly [string, Document, number])[] = [
      ["a field of a statement that nobody knows", { update: "orders", updates: [{ q: {}, u: {}, x: 1 }] }, 40_415],
      ["a field of the cursor that nobody knows", { aggregate: "orders", pipeline: [], cursor: { x: 1 } }, 40_415],
      ["a negative limit", { find: "orders", limit: -1 }, 51_024],
      ["a filter of a wrong type", { find: "orders", filter: 5 }, 14],
      ["array filters that are no documents", { findAndModify: "orders", update: {}, arrayFilters: ["x"] }, 14],
      ["a time limit that is no time", { find: "orders", maxTimeMS: -1 }, 2],
      ["a time limit that is no number", { find: "orders", maxTimeMS: "1" }, 2],
      ["an unknown version of the API", { find: "orders", apiVersion: "2" }, 322],
      ["strictness without a version", { find: "orders", apiStrict: true }, 322],
      ["a command outside of the strict API", { distinct: "orders", key: "n", apiVersion: "1", apiStrict: true }, 323],
      ["a list of databases asked of another one", { listDatabases: 1 }, 13],
    ];
    for (const [name, command, wanted] of refused)
      test(`${name} is refused`, () => assert.rejects(shop.command(command), code(wanted)));

    test("a field given twice, in the body or beside it, is refused", async () => {
      const raw = await world.raw();
      await raw.login("admin", "password");
      // {count: "orders", query: {n: 1}, query: {}} cannot be written as an object.
      const { opMsg } = await import("../support/raw-client.ts");
      const { serialize } = await import("bson");
      const body = Buffer.from(serialize({ count: "orders", queryA: { n: 1 }, queryB: {}, $db: "shop" }));
      const twice = Buffer.from(body.toString("latin1").replace(/query[AB]/g, "limit1"), "latin1");
      raw.send(opMsg(twice));
      assert.equal((await raw.receive())?.document["code"], 40_413);
      raw.send(opMsg({ insert: "x", documents: [{}], $db: "shop" }, { sequences: { documents: [serialize({})] } }));
      assert.equal((await raw.receive())?.document["code"], 40_413);
      raw.send(opMsg({ find: "orders", $db: "shop" }, { sequences: { filter: [serialize({ n: 1 })] } }));
      assert.equal((await raw.receive())?.document["code"], 40_415);
    });

    test("a client of the stable API is served", async () => {
      const { MongoClient } = await import("mongodb");
      const client = new MongoClient(`mongodb://admin:password@127.0.0.1:${world.listener.port}/?replicaSet=rs`, {
        serverApi: { version: "1", strict: true, deprecationErrors: true },
      });
      assert.equal(await client.db("shop").collection("orders").countDocuments({}), 250);
      await client.close();
    });

    test("every command listed is a command, and every open one says that it needs no login", async () => {
      const listed = (await shop.command({ listCommands: 1 }))["commands"] as Record<string, { requiresAuth: boolean }>;
      const usual = commands.filter(({ testOnly }) => testOnly !== true);
      assert.deepEqual(Object.keys(listed).toSorted(), usual.map(({ name }) => name).toSorted());
      for (const { name, action } of usual) assert.equal(listed[name]?.requiresAuth, action !== "open");
    });
  });

  describe("who may do what", () => {
    test("a refusal names the command and its collection, and nothing of its documents", async () => {
      await assert.rejects(world.as("reader").db("shop").collection("orders").insertOne({ secret: "word" }), {
        code: 13,
        message: 'not authorized on shop to execute command { insert: "orders", $db: "shop" }',
      });
    });

    test("a user of one collection sees its name and writes to it alone", async () => {
      const db = world.as("one").db("shop");
      assert.deepEqual(
        (await db.listCollections({}, { nameOnly: true, authorizedCollections: true }).toArray()).map(
          ({ name }) => name,
        ),
        ["orders"],
      );
      await assert.rejects(db.listCollections().toArray(), code(13));
      await assert.rejects(db.collection("secrets").insertOne({}), code(13));
      assert.equal(
        (await db.collection("orders").updateOne({ _id: 1 as never }, { $set: { seen: true } })).matchedCount,
        1,
      );
    });

    test("readers of any database do not read the server's own", async () => {
      const client = world.as("any");
      assert.equal(await client.db("shop").collection("orders").countDocuments({}), 250);
      for (const name of ["local", "config"])
        await assert.rejects(client.db(name).collection("x").findOne({}), code(13));
    });

    test("who may nothing lists nothing, who watches lists names", async () => {
      const names = async (user: string): Promise<string[]> =>
        (await world.as(user).db("admin").admin().listDatabases({ nameOnly: true })).databases.map(({ name }) => name);
      assert.deepEqual(await names("nothing"), []);
      assert.ok((await names("monitor")).includes("shop"));
      await assert.rejects(
        world.as("reader").db("admin").command({ listDatabases: 1, authorizedDatabases: false }),
        code(13),
      );
      for (const command of ["serverStatus", "replSetGetStatus", "hostInfo", "getCmdLineOpts"]) {
        assert.equal(
          (
            await world
              .as("monitor")
              .db("admin")
              .command({ [command]: 1 })
          )["ok"],
          1,
        );
        await assert.rejects(
          world
            .as("reader")
            .db("admin")
            .command({ [command]: 1 }),
          code(13),
        );
      }
    });

    test("another user's cursor is out of reach", async () => {
      const lsid = { id: new UUID() };
      const { cursor } = await shop.command({ find: "orders", batchSize: 1, lsid }, { promoteLongs: false });
      const other = world.as("reader").db("shop");
      await assert.rejects(other.command({ getMore: cursor.id, collection: "orders", lsid }), code(13));
      assert.equal((await other.command({ killCursors: "orders", cursors: [cursor.id] }))["cursorsKilled"].length, 0);
      await other.admin().command({ killSessions: [lsid] });
      const more = await shop.command({ getMore: cursor.id, collection: "orders", batchSize: 1, lsid });
      assert.equal(more["cursor"].nextBatch.length, 1);
    });

    test("who is asked who they are gets their roles, and what these allow", async () => {
      const { authInfo } = await world.as("one").db("admin").command({ connectionStatus: 1, showPrivileges: true });
      assert.deepEqual(authInfo.authenticatedUsers, [{ user: "one", db: "admin" }]);
      assert.deepEqual(authInfo.authenticatedUserRoles, [{ role: "readWrite", db: "shop" }]);
      const [privilege] = authInfo.authenticatedUserPrivileges;
      assert.deepEqual(privilege.resource, { db: "shop", collection: "orders" });
      assert.ok(privilege.actions.includes("insert") && !privilege.actions.includes("dropDatabase"));
    });

    test("after logout nothing is allowed any more", async () => {
      const raw = await world.raw();
      await raw.login("admin", "password");
      assert.equal((await raw.command({ count: "orders" }, "shop"))["n"], 250);
      assert.equal((await raw.command({ logout: 1 }))["ok"], 1);
      assert.equal((await raw.command({ count: "orders" }, "shop"))["code"], 13);
    });
  });

  test("a driver's monitor is told of changes instead of asking, and is not taken for a stranger", async () => {
    const client = world.as("admin", "&serverMonitoringMode=stream&heartbeatFrequencyMS=500");
    let unknown = 0;
    client.on("serverDescriptionChanged", ({ newDescription }) => {
      if (newDescription.type === "Unknown") unknown += 1;
    });
    const awaited = new Promise<void>((fulfil) => {
      let count = 0;
      client.on("serverHeartbeatSucceeded", (event: ServerHeartbeatSucceededEvent) => {
        if (event.awaited && (count += 1) === 2) fulfil();
      });
    });
    await client.connect();
    await awaited;
    assert.equal(unknown, 0);
  });
});
