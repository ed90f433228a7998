import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, type MongoClient, MongoServerError } from "mongodb";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

const code =
  (...wanted: readonly number[]) =>
  (error: unknown): boolean =>
    error instanceof MongoServerError && wanted.includes(Number(error.code));

describe("what a server tells of itself", () => {
  let world: WireWorld;
  const clients = new Map<string, MongoClient>();
  const as = (user: string): MongoClient => {
    const client = clients.get(user) ?? world.as(user);
    clients.set(user, client);
    return client;
  };
  const admin =
    (user = "admin"): ((command: Document) => Promise<Document>) =>
    (command) =>
      as(user).db("admin").command(command);
  before(async () => {
    world = await startWireWorld({
      users: [
        databaseUser("writer", { roleName: "readWrite", databaseName: "shop" }),
        databaseUser("monitor", { roleName: "clusterMonitor", databaseName: "admin" }),
      ],
    });
    await as("admin")
      .db("shop")
      .collection("orders")
      .insertMany(Array.from({ length: 20_000 }, (_, n) => ({ n, text: `order number ${n} of many` })));
  });
  after(() => world.stop());

  /** A query of `user` that computes for minutes unless it is stopped. */
  function endless(user: string): { readonly ended: Promise<unknown>; readonly found: () => Promise<Document> } {
    const pipeline = [
      {
        $match: {
          $expr: { $gt: [{ $sum: { $map: { input: { $range: [0, 2000] }, in: { $add: ["$$this", "$n"] } } } }, -1] },
        },
      },
      { $group: { _id: null, n: { $sum: 1 } } },
    ];
    const ended = as(user)
      .db("shop")
      .collection("orders")
      .aggregate(pipeline, { comment: `endless of ${user}` })
      .toArray()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    return {
      ended,
      async found() {
        for (;;) {
          const { inprog } = await admin()({ currentOp: 1, "command.comment": `endless of ${user}` });
          if ((inprog as Document[])[0] !== undefined) return (inprog as Document[])[0] as Document;
        }
      },
    };
  }

  test("currentOp shows what runs, with its client, its user and its command, and killOp stops it", async () => {
    const query = endless("writer");
    const operation = await query.found();
    assert.equal(operation["ns"], "shop.orders");
    assert.deepEqual(operation["effectiveUsers"], [{ user: "writer", db: "admin" }]);
    assert.equal(operation["op"], "command");
    assert.equal(operation["active"], true);
    assert.match(String(operation["client"]), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(await admin()({ killOp: 1, op: operation["opid"] }).then(({ ok, info }) => ({ ok, info })), {
      ok: 1,
      info: "attempting to kill op",
    });
    assert.ok(code(11_601)(await query.ended));
    const { inprog } = await admin()({ currentOp: 1, "command.comment": "endless of writer" });
    assert.deepEqual(inprog, []);
  });

  test("without the privilege one sees and stops one's own operations alone", async () => {
    const query = endless("admin");
    const others = await query.found();
    await assert.rejects(admin("writer")({ killOp: 1, op: others["opid"] }), code(13));
    await assert.rejects(admin("writer")({ killOp: 1, op: 999_999 }), code(13), "no word of whether it is there");
    await assert.rejects(admin("writer")({ currentOp: 1 }), code(13));
    const { inprog } = await admin("writer")({ currentOp: 1, $ownOps: true });
    assert.ok((inprog as Document[]).every((operation) => operation["effectiveUsers"][0].user === "writer"));
    const own = endless("writer");
    const operation = await own.found();
    await admin("writer")({ killOp: 1, op: operation["opid"] });
    assert.ok(code(11_601)(await own.ended));
    await assert.rejects(admin("monitor")({ killOp: 1, op: others["opid"] }), code(13), "watching is not stopping");
    await admin()({ killOp: 1, op: others["opid"] });
    await query.ended;
  });

  test("stopping what has ended is no error", async () => {
    assert.equal((await admin()({ killOp: 1, op: 2_000_000_000 })).ok, 1);
    await assert.rejects(admin()({ killOp: 1 }), code(40_414));
    await assert.rejects(admin()({ killOp: 1, op: "all" }), code(14));
  });

  test("the stage $currentOp shows the same, one's own unless asked for all", async () => {
    const shown = await as("admin")
      .db("admin")
      .aggregate([{ $currentOp: { allUsers: true } }, { $match: { "command.aggregate": 1 } }])
      .toArray();
    assert.equal(shown.length, 1);
    assert.equal(shown[0]?.["effectiveUsers"][0].user, "admin");
    await assert.rejects(
      world
        .as("admin")
        .db("shop")
        .aggregate([{ $currentOp: {} }])
        .toArray(),
      code(73),
    );
  });

  test("what a login carries is never shown", async () => {
    const { inprog } = await admin()({ currentOp: 1 });
    assert.ok(!JSON.stringify(inprog).includes("payload"));
  });

  test("top counts by collection what was done with it", async () => {
    const orders = as("admin").db("counted").collection("orders");
    await orders.insertOne({});
    await orders.find().toArray();
    await orders.find().toArray();
    await orders.updateOne({}, { $set: { a: 1 } });
    await orders.deleteOne({});
    const { totals } = await admin("monitor")({ top: 1 });
    const counts = Object.fromEntries(
      Object.entries(totals["counted.orders"] as Record<string, { readonly count: number }>).map(
        ([name, { count }]) => [name, Number(count)] as const,
      ),
    );
    assert.deepEqual(counts, {
      total: 5,
      readLock: 2,
      writeLock: 3,
      queries: 2,
      getmore: 0,
      insert: 1,
      update: 1,
      remove: 1,
      commands: 0,
    });
  });

  test("rs.conf() and rs.status() name the one member by the address it is reached at", async () => {
    const { config } = await admin("monitor")({ replSetGetConfig: 1 });
    const { members } = await admin("monitor")({ replSetGetStatus: 1 });
    const address = `127.0.0.1:${world.listener.port}`;
    assert.deepEqual(
      [(config as Document)["_id"], (config as Document)["members"][0].host, (members as Document[])[0]?.["name"]],
      ["rs", address, address],
    );
  });

  test("users are listed without secrets, to whoever may see them; everybody sees oneself", async () => {
    const { users } = await admin()({ usersInfo: 1 });
    assert.deepEqual(
      (users as Document[]).map(({ user }) => user as string),
      ["admin", "writer", "monitor"],
    );
    assert.deepEqual(Object.keys((users as Document[])[1] ?? {}), ["_id", "user", "db", "roles", "mechanisms"]);
    const own = await admin("writer")({ usersInfo: "writer" });
    assert.deepEqual((own["users"] as Document[])[0]?.["roles"], [{ role: "readWrite", db: "shop" }]);
    await assert.rejects(admin("writer")({ usersInfo: 1 }), code(13));
    await assert.rejects(admin("writer")({ usersInfo: "admin" }), code(13));
    const elsewhere = await as("admin").db("shop").command({ usersInfo: 1 });
    assert.deepEqual(elsewhere["users"], [], "all users belong to admin");
    assert.equal((await admin()({ usersInfo: { forAllDBs: true } }))["users"].length, 3);
  });

  test("users and roles are not changed here, and it is said where they are", async () => {
    for (const command of [{ createUser: "x", pwd: "y", roles: [] }, { dropUser: "writer" }, { createRole: "r" }])
      await assert.rejects(
        admin()(command),
        (error: Error) => code(8000)(error) && /Administration API/.test(error.message),
      );
  });

  test("roles are the built-in ones", async () => {
    const { roles } = await admin()({ rolesInfo: 1, showBuiltinRoles: true });
    assert.ok((roles as Document[]).some(({ role }) => role === "readWrite"));
    assert.ok(!JSON.stringify(roles).includes("system"));
    assert.deepEqual((await admin()({ rolesInfo: 1 }))["roles"], []);
    assert.equal((await admin()({ rolesInfo: "read" }))["roles"][0].isBuiltin, true);
  });

  test("the size of a collection's data is that of its documents", async () => {
    const sizes = as("admin").db("sizes");
    await sizes.collection("c").insertMany([{ _id: 1 as never }, { _id: 2 as never, text: "ab" }]);
    const { size, numObjects } = await sizes.command({ dataSize: "sizes.c" });
    assert.deepEqual([size, numObjects], [14 + 14 + 13, 2]);
    await assert.rejects(sizes.command({ dataSize: "shop.orders" }), code(73), "another database's");
  });

  test("the figures of a database count its views apart from its collections", async () => {
    const figures = as("admin").db("figures");
    await figures.collection("c").insertMany([{ n: 1 }, { n: 2 }]);
    await figures.createCollection("v", { viewOn: "c", pipeline: [{ $match: { n: 1 } }] });
    const { collections, views, objects, indexes } = await figures.command({ dbStats: 1 });
    assert.deepEqual([collections, views, objects, indexes], [1, 1, 2, 1]);
  });

  test("fsync waits for the disk; locking and profiling are refused", async () => {
    assert.equal((await admin()({ fsync: 1 })).ok, 1);
    await assert.rejects(admin()({ fsync: 1, lock: true }), code(238));
    const shop = as("admin").db("shop");
    assert.equal((await shop.command({ profile: -1 }))["was"], 0);
    await assert.rejects(shop.command({ profile: 2 }), code(238));
    assert.equal((await admin()({ getDefaultRWConcern: 1 }))["defaultWriteConcern"].w, "majority");
  });
});
