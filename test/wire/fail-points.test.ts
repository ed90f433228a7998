import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Long, type MongoClient, MongoNetworkError, MongoServerError } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("faults that clients order", () => {
  let world: WireWorld;
  let client: MongoClient;

  before(async () => {
    world = await startWireWorld({ testCommands: true });
    client = await world.as("admin", "&retryReads=false&retryWrites=false&appName=orders").connect();
    await client
      .db("shop")
      .collection("orders")
      .insertOne({ _id: 1 as never });
  });
  after(() => world.stop());

  const order = (mode: unknown, data: object = {}): Promise<unknown> =>
    client.db("admin").command({ configureFailPoint: "failCommand", mode, data });
  const pings = async (count: number): Promise<string[]> => {
    const results: string[] = [];
    for (let turn = 0; turn < count; turn += 1)
      results.push(
        await client
          .db("shop")
          .command({ ping: 1 })
          .then(
            () => "ok",
            (error: unknown) => (error instanceof MongoServerError ? String(error.codeName) : (error as Error).name),
          ),
      );
    return results;
  };

  test("a server that was not started for tests has no such command, and does not list it", async () => {
    const other = await startWireWorld();
    try {
      const admin = (await other.as("admin").connect()).db("admin");
      await assert.rejects(admin.command({ configureFailPoint: "failCommand", mode: "off" }), { code: 59 });
      await assert.rejects(admin.command({ testVersion2: 1 }), { code: 59 });
      const { commands } = await admin.command({ listCommands: 1 });
      assert.equal("configureFailPoint" in commands, false);
      assert.deepEqual((await admin.command({ getParameter: 1, enableTestCommands: 1 }))["enableTestCommands"], false);
    } finally {
      await other.stop();
    }
  });

  test("as many commands fail as were ordered, after as many as were let through", async () => {
    const data = { failCommands: ["ping"], errorCode: 91 };
    await order({ times: 2 }, data);
    assert.deepEqual(await pings(3), ["ShutdownInProgress", "ShutdownInProgress", "ok"]);
    await order({ skip: 1 }, data);
    assert.deepEqual(await pings(3), ["ok", "ShutdownInProgress", "ShutdownInProgress"]);
    await order("alwaysOn", data);
    assert.deepEqual(await pings(2), ["ShutdownInProgress", "ShutdownInProgress"]);
    assert.equal(((await order("off")) as { count: number }).count, 2);
    assert.deepEqual(await pings(1), ["ok"]);
  });

  test("only the collection and the client that were named are hit", async () => {
    const find = (name: string): Promise<unknown> => client.db("shop").collection(name).findOne();
    await order("alwaysOn", { failCommands: ["find"], errorCode: 1, namespace: "shop.orders", appName: "orders" });
    await assert.rejects(find("orders"), { code: 1 });
    await find("customers");
    await order("alwaysOn", { failCommands: ["find"], errorCode: 1, appName: "another" });
    await find("orders");
    await order("off");
  });

  test("a connection that is to be closed is, and the command was not run", async () => {
    const orders = client.db("shop").collection("orders");
    await order({ times: 1 }, { failCommands: ["insert"], closeConnection: true });
    await assert.rejects(orders.insertOne({ _id: 9 as never }), MongoNetworkError);
    assert.equal(await orders.countDocuments({ _id: 9 as never }), 0);
  });

  test("a command that is held up ends at its time limit", async () => {
    await order({ times: 1 }, { failCommands: ["find"], blockConnection: true, blockTimeMS: 60_000 });
    const held = client.db("shop").collection("orders").find({}, { maxTimeMS: 20 }).toArray();
    await assert.rejects(held, { code: 50 });
  });

  test("a write concern error is told of, and the write was done", async () => {
    const wanted = { code: 64, codeName: "WriteConcernTimeout", errmsg: "waited", errInfo: { x: 1 } };
    await order({ times: 1 }, { failCommands: ["insert"], writeConcernError: wanted });
    const insert = client.db("shop").command({ insert: "orders", documents: [{ _id: 20 }] });
    await assert.rejects(insert, ({ result }: { result: Record<string, unknown> }) => {
      assert.deepEqual([result["n"], result["writeConcernError"]], [1, wanted]);
      return true;
    });
  });

  test("RetryableWriteError goes with codes that are worth a retry of a write that can be retried", async () => {
    const labels = async (errorCode: number, retryable: boolean): Promise<unknown> => {
      await order({ times: 1 }, { failCommands: ["insert"], errorCode });
      const session = client.startSession();
      try {
        await client
          .db("shop")
          .command(
            { insert: "orders", documents: [{ _id: 30 }], ...(retryable ? { txnNumber: Long.fromNumber(1) } : {}) },
            { session },
          );
        return "not failed";
      } catch (error) {
        return (error as MongoServerError).errorLabels;
      } finally {
        await session.endSession();
      }
    };
    assert.deepEqual(await labels(11_602, true), ["RetryableWriteError"]);
    assert.deepEqual(await labels(11_602, false), []);
    assert.deepEqual(await labels(8, true), []);
  });

  test("what is no order is refused, and nothing is ordered", async () => {
    for (const [mode, data] of [
      ["sometimes", {}],
      [{ times: -1 }, {}],
      [{ times: 1, skip: 1 }, {}],
      [3, {}],
      ["alwaysOn", {}],
      ["alwaysOn", { failCommands: ["ping"], errorCode: 1, unknown: 1 }],
      ["alwaysOn", { failCommands: ["ping"], blockConnection: true }],
    ] as const)
      await assert.rejects(order(mode, data), MongoServerError);
    await assert.rejects(client.db("admin").command({ configureFailPoint: "other", mode: "off" }), { code: 2 });
    assert.deepEqual(await pings(1), ["ok"]);
  });
});

describe("sessions and parameters", () => {
  let world: WireWorld;
  before(async () => {
    world = await startWireWorld();
  });
  after(() => world.stop());

  test("killAllSessions closes what sessions left open", async () => {
    const client = await world.as("admin").connect();
    const orders = client.db("shop").collection("orders");
    await orders.insertMany([{}, {}, {}]);
    for (const users of [[], [{ user: "admin", db: "admin" }]]) {
      const cursor = orders.find({}, { batchSize: 2 });
      await cursor.next();
      await client.db("admin").command({ killAllSessions: users });
      await assert.rejects(
        cursor.toArray().then(() => cursor.toArray()),
        { code: 43 },
      );
      const spared = orders.find({}, { batchSize: 2 });
      await spared.next();
      await client.db("admin").command({ killAllSessions: [{ user: "somebody", db: "admin" }] });
      await spared.toArray();
    }
  });

  test("parameters are read by name or all, and cannot be set", async () => {
    const admin = (await world.as("admin").connect()).db("admin");
    const { featureCompatibilityVersion: asked } = await admin.command({
      getParameter: 1,
      featureCompatibilityVersion: 1,
    });
    const all = await admin.command({ getParameter: "*" });
    assert.deepEqual(all["featureCompatibilityVersion"], asked);
    assert.equal(all["requireApiVersion"], false);
    await assert.rejects(admin.command({ getParameter: 1, nothing: 1 }), { code: 72 });
    await assert.rejects(admin.command({ setParameter: 1, requireApiVersion: true }), { code: 20 });
    await assert.rejects(admin.command({ setParameter: 1, nothing: 1 }), { code: 72 });
    await assert.rejects(admin.command({ setParameter: 1 }), { code: 72 });
  });
});
