import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Db, Document } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

describe("explain through the driver", () => {
  let world: WireWorld;
  let db: Db;
  before(async () => {
    world = await startWireWorld({ users: [] });
    db = world.as("admin").db("shop");
    const orders = db.collection("orders");
    await orders.createIndex({ a: 1, b: -1 });
    await orders.createIndex({ s: 1 });
    await orders.insertMany(
      Array.from({ length: 20 }, (_, n) => ({ _id: n as never, a: n % 5, b: n, s: `s${n}`, plain: n })),
    );
  });
  after(() => world.stop());

  /** Names of the stages from the outermost in. */
  const namesOf = (stage: Document | undefined): string[] =>
    stage === undefined ? [] : [stage["stage"] as string, ...namesOf(stage["inputStage"] as Document | undefined)];
  const find = async (filter: Document, more: Document = {}, verbosity = "executionStats"): Promise<Document> =>
    db.command({ explain: { find: "orders", filter, ...more }, verbosity });

  test("a scan, an index and the look-up of an _id are told apart, with what each looked at", async () => {
    const scan = await find({ plain: { $gte: 15 } });
    assert.deepEqual(namesOf(scan["queryPlanner"].winningPlan), ["COLLSCAN"]);
    assert.deepEqual(scan["queryPlanner"].parsedQuery, { plain: { $gte: 15 } });
    const { nReturned, totalKeysExamined, totalDocsExamined } = scan["executionStats"] as Document;
    assert.deepEqual([nReturned, totalKeysExamined, totalDocsExamined], [5, 0, 20]);
    const index = await find({ a: 3 });
    assert.deepEqual(namesOf(index["queryPlanner"].winningPlan), ["FETCH", "IXSCAN"]);
    assert.deepEqual(index["queryPlanner"].winningPlan.inputStage.indexBounds, {
      a: ["[3, 3]"],
      b: ["[MaxKey, MinKey]"],
    });
    assert.deepEqual([index["executionStats"].totalKeysExamined, index["executionStats"].totalDocsExamined], [4, 4]);
    assert.deepEqual(namesOf((await find({ _id: 5 }))["queryPlanner"].winningPlan), ["IDHACK"]);
    assert.equal(index["serverInfo"].port, world.listener.port);
    assert.deepEqual(index["command"], { find: "orders", filter: { a: 3 }, $db: "shop" });
  });

  test("with allPlansExecution every plan there is a choice of is tried at the beginning, and none where there is no choice", async () => {
    const trialsOf = async (filter: Document, collection = "orders"): Promise<Document[]> => {
      const command = { explain: { find: collection, filter }, verbosity: "allPlansExecution" };
      return (await db.command(command))["executionStats"].allPlansExecution as Document[];
    };
    const trials = await trialsOf({ a: 3, s: { $gte: "s1" } });
    assert.deepEqual(
      trials.map((one) => [
        one["executionStages"].inputStage.indexName as unknown,
        one["nReturned"] as unknown,
        one["totalKeysExamined"] as unknown,
        one["totalDocsExamined"] as unknown,
      ]),
      [
        ["a_1_b_-1", 4, 4, 4],
        ["s_1", 4, 19, 19],
      ],
    );
    assert.deepEqual(await trialsOf({ plain: 1 }), []);
    assert.deepEqual(await trialsOf({ a: 1 }), []);
    const many = db.collection("many");
    await many.createIndex({ a: 1 });
    await many.createIndex({ b: 1 });
    for (const [count, returned] of [
      [100, 100],
      [101, 101],
      [102, 101],
    ] as const) {
      await many.deleteMany({});
      await many.insertMany(Array.from({ length: count }, (_, n) => ({ a: 1, b: 1, n })));
      const tried = await trialsOf({ a: 1, b: 1 }, "many");
      assert.deepEqual(
        tried.map((one) => one["nReturned"] as unknown),
        [returned, returned],
      );
    }
  });

  test("bounds are shown by field: ranges, lists, types", async () => {
    const bounds = async (filter: Document): Promise<unknown> => {
      const plan = (await find(filter, {}, "queryPlanner"))["queryPlanner"].winningPlan as Document;
      return (plan["inputStage"] as Document)["indexBounds"] as unknown;
    };
    assert.deepEqual(await bounds({ a: { $gt: 1, $lte: 3 } }), { a: ["(1, 3]"], b: ["[MaxKey, MinKey]"] });
    assert.deepEqual(await bounds({ a: { $in: [1, 3] }, b: { $lt: 9 } }), {
      a: ["[1, 1]", "[3, 3]"],
      b: ["(9, -inf.0]"],
    });
    assert.deepEqual(await bounds({ s: { $gte: "s5" } }), { s: ['["s5", {})'] });
    assert.deepEqual(await bounds({ s: null }), { s: ["[undefined, undefined]", "[null, null]"] });
  });

  test("an order is the index's or a sort's, and limits stop what is looked at", async () => {
    const through = await find({ a: 2 }, { sort: { b: 1 } });
    assert.deepEqual(namesOf(through["queryPlanner"].winningPlan), ["FETCH", "IXSCAN"]);
    assert.equal(through["queryPlanner"].winningPlan.inputStage.direction, "backward");
    const sorted = await find({}, { sort: { plain: -1 }, skip: 1, limit: 2, projection: { a: 1 } });
    assert.deepEqual(namesOf(sorted["queryPlanner"].winningPlan), [
      "PROJECTION_SIMPLE",
      "LIMIT",
      "SKIP",
      "SORT",
      "COLLSCAN",
    ]);
    assert.equal(sorted["executionStats"].nReturned, 2);
    const limited = await find({ a: { $gte: 0 } }, { limit: 3 });
    assert.deepEqual([limited["executionStats"].nReturned, limited["executionStats"].totalDocsExamined], [3, 3]);
  });

  test("a disjunction shows its branches, a hint what it forced, and other plans are told as rejected", async () => {
    const either = (await find({ $or: [{ a: 1 }, { s: "s5" }] }))["queryPlanner"].winningPlan as Document;
    assert.deepEqual(namesOf(either), ["FETCH", "OR"]);
    assert.deepEqual(
      ((either["inputStage"] as Document)["inputStages"] as Document[]).map((one) => one["indexName"] as unknown),
      ["a_1_b_-1", "s_1"],
    );
    const hinted = await find({ a: 1 }, { hint: { s: 1 } });
    assert.equal(hinted["queryPlanner"].winningPlan.inputStage.indexName, "s_1");
    assert.equal(hinted["executionStats"].totalKeysExamined, 20);
    const both = await find({ a: 1, s: "s1" }, {}, "queryPlanner");
    assert.equal((both["queryPlanner"].rejectedPlans as Document[]).length, 1);
    assert.equal(both["executionStats"], undefined);
    await assert.rejects(find({}, { hint: "nothing" }), { code: 2 });
  });

  test("every command that finds documents is explained, and nothing is changed by it", async () => {
    const plan = async (command: Document): Promise<string[]> => {
      const reply = await db.command({ explain: command, verbosity: "executionStats" });
      return namesOf(reply["executionStats"].executionStages as Document);
    };
    assert.deepEqual(await plan({ count: "orders", query: { a: 1 } }), ["COUNT", "FETCH", "IXSCAN"]);
    assert.deepEqual(await plan({ distinct: "orders", key: "b", query: { a: 1 } }), ["FETCH", "IXSCAN"]);
    assert.deepEqual(await plan({ delete: "orders", deletes: [{ q: { a: 1 }, limit: 0 }] }), [
      "DELETE",
      "FETCH",
      "IXSCAN",
    ]);
    assert.deepEqual(
      await plan({ update: "orders", updates: [{ q: { plain: 1 }, u: { $set: { a: 9 } }, multi: true }] }),
      ["UPDATE", "COLLSCAN"],
    );
    assert.deepEqual(await plan({ findAndModify: "orders", query: { _id: 1 }, remove: true }), [
      "DELETE",
      "LIMIT",
      "IDHACK",
    ]);
    assert.deepEqual(await plan({ find: "nowhere" }), ["EOF"]);
    assert.equal(await db.collection("orders").countDocuments({}), 20);
    assert.equal(await db.collection("orders").countDocuments({ a: 9 }), 0);
  });

  test("a pipeline shows how it begins and what is run over that; one that is a query alone is shown as one", async () => {
    const orders = db.collection("orders");
    const grouped = await orders.aggregate([{ $match: { a: 1 } }, { $group: { _id: "$b" } }]).explain("executionStats");
    const [{ $cursor: cursor }, group] = grouped["stages"] as [{ $cursor: Document }, Document];
    assert.deepEqual(namesOf(cursor["queryPlanner"].winningPlan), ["FETCH", "IXSCAN"]);
    assert.equal(cursor["executionStats"].totalDocsExamined, 4);
    assert.deepEqual(group, { $group: { _id: "$b" } });
    const query = await orders.aggregate([{ $match: { a: 1 } }, { $sort: { b: -1 } }]).explain("queryPlanner");
    assert.deepEqual(namesOf(query["queryPlanner"].winningPlan), ["FETCH", "IXSCAN"]);
    const shell = await db.command({ aggregate: "orders", pipeline: [{ $match: { a: 1 } }], explain: true });
    assert.deepEqual(namesOf(shell["queryPlanner"].winningPlan), ["FETCH", "IXSCAN"]);
    await db.createCollection("ones", { viewOn: "orders", pipeline: [{ $match: { a: 1 } }] });
    const view = await db.collection("ones").find({ b: 1 }).explain("queryPlanner");
    assert.deepEqual((view["stages"] as [{ $cursor: Document }])[0].$cursor["queryPlanner"].namespace, "shop.orders");
  });

  test("what cannot be explained is refused, and so is who may not run it", async () => {
    const code = (command: Document): Promise<unknown> =>
      db.command(command).then(
        () => 0,
        (error: { code: number }) => error.code,
      );
    assert.equal(await code({ explain: { insert: "orders", documents: [{}] } }), 59);
    assert.equal(await code({ explain: { find: "orders" }, verbosity: "everything" }), 2);
    assert.equal(await code({ explain: { find: "orders", filtre: {} } }), 40_415);
    assert.equal(await code({ explain: { find: "orders", filter: { $nothing: 1 } } }), 2);
    world.users.push({
      ...(world.users[0] as (typeof world.users)[0]),
      username: "other",
      roles: [{ roleName: "read", databaseName: "elsewhere" }],
    });
    await assert.rejects(
      world
        .as("other")
        .db("shop")
        .command({ explain: { find: "orders" } }),
      { code: 13 },
    );
  });
});
