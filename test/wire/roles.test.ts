import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Document, MongoServerError } from "mongodb";
import { databaseUser, startWireWorld, type WireWorld } from "../support/wire-world.ts";

/** What users do, each on the databases `shop`, `other` and `admin` as the manual's "Built-In Roles" tells. */
const deeds: Readonly<Record<string, { readonly database: string; readonly command: () => Document }>> = {
  "read shop": { database: "shop", command: () => ({ find: "orders" }) },
  "read other": { database: "other", command: () => ({ find: "orders" }) },
  "join other": {
    database: "shop",
    command: () => ({
      aggregate: "orders",
      pipeline: [{ $unionWith: { coll: "orders" } }, { $lookup: { from: "orders", pipeline: [], as: "x" } }],
      cursor: {},
    }),
  },
  "write shop": { database: "shop", command: () => ({ insert: "orders", documents: [{}] }) },
  "write other": { database: "other", command: () => ({ insert: "orders", documents: [{}] }) },
  "out shop": { database: "shop", command: () => ({ aggregate: "orders", pipeline: [{ $out: "copy" }], cursor: {} }) },
  "index shop": {
    database: "shop",
    command: () => ({ createIndexes: "orders", indexes: [{ key: { a: 1 }, name: "a_1" }] }),
  },
  "index other": {
    database: "other",
    command: () => ({ createIndexes: "orders", indexes: [{ key: { a: 1 }, name: "a_1" }] }),
  },
  "drop shop": { database: "shop", command: () => ({ drop: "dropped" }) },
  "drop database shop": { database: "shop", command: () => ({ dropDatabase: 1 }) },
  "statistics shop": { database: "shop", command: () => ({ collStats: "orders" }) },
  "statistics other": { database: "other", command: () => ({ dbStats: 1 }) },
  status: { database: "admin", command: () => ({ serverStatus: 1 }) },
  operations: { database: "admin", command: () => ({ currentOp: 1 }) },
  kill: { database: "admin", command: () => ({ killOp: 1, op: 1_999_999_999 }) },
  users: { database: "admin", command: () => ({ usersInfo: 1 }) },
};

const reading = ["read shop", "join other", "statistics shop"];
const writing = [...reading, "write shop", "out shop", "index shop", "drop shop"];

/** The deeds of each role on `shop`, or on all databases; nothing else. */
const allowed: Readonly<Record<string, { readonly database: string; readonly deeds: readonly string[] }>> = {
  read: { database: "shop", deeds: reading },
  readWrite: { database: "shop", deeds: writing },
  dbAdmin: { database: "shop", deeds: ["index shop", "drop shop", "drop database shop", "statistics shop"] },
  readAnyDatabase: { database: "admin", deeds: [...reading, "read other", "statistics other"] },
  readWriteAnyDatabase: {
    database: "admin",
    deeds: [...writing, "read other", "write other", "index other", "statistics other"],
  },
  dbAdminAnyDatabase: {
    database: "admin",
    deeds: ["index shop", "index other", "drop shop", "drop database shop", "statistics shop", "statistics other"],
  },
  clusterMonitor: { database: "admin", deeds: ["statistics shop", "statistics other", "status", "operations"] },
  backup: {
    database: "admin",
    deeds: [...reading, "read other", "statistics other", "status", "operations"],
  },
  enableSharding: { database: "admin", deeds: [] },
  atlasAdmin: { database: "admin", deeds: Object.keys(deeds) },
};

describe("roles of database users", () => {
  let world: WireWorld;
  before(async () => {
    world = await startWireWorld({
      users: Object.entries(allowed).map(([roleName, { database: databaseName }]) =>
        databaseUser(`has-${roleName}`, { roleName, databaseName }),
      ),
    });
  });
  after(() => world.stop());

  for (const [role, { deeds: expected }] of Object.entries(allowed)) {
    test(`${role} allows what the manual says and nothing else`, async () => {
      const admin = world.as("admin");
      const client = world.as(`has-${role}`);
      const done: string[] = [];
      for (const [name, { database, command }] of Object.entries(deeds)) {
        await admin.db("shop").collection("orders").insertOne({});
        await admin.db("shop").collection("dropped").insertOne({});
        await admin.db("other").collection("orders").insertOne({});
        try {
          await client.db(database).command(command());
          done.push(name);
        } catch (error) {
          assert.ok(error instanceof MongoServerError && error.code === 13, `${role}, ${name}: ${String(error)}`);
          assert.match(error.message, /^(not authorized on|Unauthorized)/, name);
        }
      }
      assert.deepEqual(done.toSorted(), [...expected].toSorted());
    });
  }
});
