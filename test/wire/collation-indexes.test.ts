import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Collection, CollationOptions, Db, Document, MongoClient, MongoServerError } from "mongodb";
import fc from "fast-check";
import { refusedWith } from "../support/refused-with.ts";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const caseless: CollationOptions = { locale: "en", strength: 2 };

describe("indexes with a collation, through the driver", () => {
  let world: WireWorld;
  let client: MongoClient;
  let database: Db;
  let count = 0;
  before(async () => {
    world = await startWireWorld();
    client = world.as("admin");
    database = client.db("shop");
  });
  after(() => world.stop());

  const fresh = (): Collection => {
    count += 1;
    return database.collection(`c${count}`);
  };
  const duplicate = refusedWith(11_000);

  test("a unique index refuses what its collation holds for equal, and takes what it tells apart", async () => {
    const users = fresh();
    await users.createIndex({ name: 1 }, { unique: true, collation: caseless });
    await users.insertOne({ _id: 1, name: "Müller" } as Document);
    for (const name of ["müller", "MÜLLER", "Mu\u0308ller"])
      await assert.rejects(users.insertOne({ name }), (error) => {
        assert.deepEqual((error as MongoServerError)["keyPattern"], { name: 1 });
        assert.deepEqual((error as MongoServerError)["keyValue"], { name });
        return duplicate(error);
      });
    for (const name of ["Muller", "Mueller", "Müllers", "", 5, null]) await users.insertOne({ name });
    await assert.rejects(users.insertOne({ name: "muller" }), duplicate);
    await assert.rejects(users.insertOne({}), duplicate);
    await assert.rejects(users.updateOne({ name: "Mueller" }, { $set: { name: "MÜLLER" } }), duplicate);
    await users.updateOne({ name: "Müller" }, { $set: { name: "mÜLLER" } });
    await users.deleteOne({ name: "mÜLLER" });
    await users.insertOne({ name: "müller" });
  });

  test("the same over compound keys, arrays and documents", async () => {
    const users = fresh();
    await users.createIndex({ tags: 1, city: -1 }, { unique: true, collation: caseless });
    await users.insertOne({ tags: ["Red", "rot", { n: "x" }], city: "Köln" });
    await users.insertOne({ tags: "red", city: "Koln" });
    await users.insertOne({ tags: ["blue", "Blue"], city: "köln" });
    await assert.rejects(users.insertOne({ tags: ["green", "ROT"], city: "KÖLN" }), duplicate);
    await assert.rejects(users.insertOne({ tags: { n: "X" }, city: "köln" }), duplicate);
    await users.insertOne({ tags: { n: "y" }, city: "köln" });
  });

  test("it is not made where equal ones are there, neither by createIndexes nor by collMod, which names them", async () => {
    const users = fresh();
    await users.insertMany([{ name: "a" }, { name: "á" }, { name: "b" }, { name: "B", _id: 4 } as Document]);
    await assert.rejects(users.createIndex({ name: 1 }, { unique: true, collation: caseless }), duplicate);
    await users.createIndex({ name: 1 }, { collation: caseless });
    const modify = (index: object): Promise<Document> =>
      database.command({ collMod: users.collectionName, index: { name: "name_1", ...index } });
    await modify({ prepareUnique: true });
    await assert.rejects(users.insertOne({ name: "Á" }), duplicate);
    await assert.rejects(modify({ unique: true }), (error) => {
      const { violations } = (error as MongoServerError).errorResponse as Document;
      assert.equal(violations.length, 1);
      assert.equal(violations[0].ids.length, 2);
      return refusedWith(359)(error);
    });
    await users.deleteOne({ _id: 4 } as Document);
    await modify({ unique: true });
    await assert.rejects(users.insertOne({ name: "B" }), duplicate);
  });

  test("two transactions cannot both commit what is equal", async () => {
    const users = fresh();
    await users.createIndex({ name: 1 }, { unique: true, collation: caseless });
    await client.withSession(async (one) => {
      await client.withSession(async (other) => {
        one.startTransaction();
        other.startTransaction();
        await users.insertOne({ name: "Ada" }, { session: one });
        await assert.rejects(users.insertOne({ name: "ADA" }, { session: one }), duplicate);
        await users.insertOne({ name: "ada" }, { session: other });
        await other.commitTransaction();
      });
    });
    assert.equal(await users.countDocuments(), 1);
    await assert.rejects(users.insertOne({ name: "ADA" }), duplicate);
  });

  test("queries with the collation find through the index, and others do not ask it about strings", async () => {
    const users = fresh();
    await users.createIndex({ name: 1 }, { collation: caseless });
    await users.insertMany(["Ada", "ada", "Bob", "Zoë", "zoe", 5].map((name) => ({ name })));
    const examined = async (filter: Document, options: { collation?: CollationOptions }): Promise<unknown[]> => {
      const { queryPlanner, executionStats } = await users.find(filter, options).explain("executionStats");
      const { winningPlan } = queryPlanner as { winningPlan: Document };
      return [winningPlan["inputStage"]?.stage ?? winningPlan["stage"], executionStats.totalDocsExamined];
    };
    assert.deepEqual(await examined({ name: "ADA" }, { collation: caseless }), ["IXSCAN", 2]);
    assert.deepEqual(await examined({ name: { $in: ["ada", "bob"] } }, { collation: caseless }), ["IXSCAN", 3]);
    assert.deepEqual(await examined({ name: "ADA" }, {}), ["COLLSCAN", 6]);
    assert.deepEqual(await examined({ name: "ADA" }, { collation: { locale: "en", strength: 1 } }), ["COLLSCAN", 6]);
    assert.deepEqual(await examined({ name: 5 }, {}), ["IXSCAN", 1]);
    assert.deepEqual(
      await users
        .find({ name: "zoe" }, { collation: caseless })
        .map(({ name }) => name as unknown)
        .toArray(),
      ["zoe"],
    );
  });

  test("up to 1,000 strings are looked up for one condition, and more are not", async () => {
    const users = fresh();
    await users.createIndex({ name: 1 }, { collation: caseless });
    await users.insertMany([{ name: "n1" }, { name: "other" }]);
    for (const [strings, stage] of [
      [999, "IXSCAN"],
      [1000, "IXSCAN"],
      [1001, "COLLSCAN"],
    ] as const) {
      const filter = { name: { $in: Array.from({ length: strings }, (_, n) => `N${n}`) } };
      const { queryPlanner } = await users.find(filter, { collation: caseless }).explain("queryPlanner");
      const { winningPlan } = queryPlanner as { winningPlan: Document };
      assert.equal(winningPlan["inputStage"]?.stage ?? winningPlan["stage"], stage);
      assert.equal(await users.countDocuments(filter, { collation: caseless }), 1);
    }
  });

  test("large arrays of strings that one key stands for are told apart", async () => {
    const users = fresh();
    await users.createIndex({ tags: 1 }, { unique: true, collation: caseless });
    const tags = (accent: string): string[] => Array.from({ length: 500 }, (_, n) => `tag ${n} ${accent}`);
    await users.insertOne({ tags: tags("a") });
    await users.insertOne({ tags: tags("á") });
    await assert.rejects(users.insertOne({ tags: [...tags("å"), "TAG 499 Á"] }), duplicate);
    await users.insertOne({ tags: tags("å") });
  });

  test("whatever is asked, the answer is the one without an index", async () => {
    const [indexed, plain] = [fresh(), fresh()];
    await indexed.createIndex({ a: 1, b: -1 }, { collation: caseless });
    await indexed.createIndex({ b: "hashed" }, { collation: caseless });
    const scalar = fc.constantFrom<unknown>("a", "A", "á", "b", "ss", "ß", "ab", "", 1, null, { x: "A" });
    const document = fc.record({ a: fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), b: scalar });
    const condition = fc.oneof(
      scalar.map((value) => ({ $eq: value })),
      fc.array(scalar, { maxLength: 3 }).map((values) => ({ $in: values })),
      fc
        .tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte", "$ne"), scalar)
        .map(([operator, value]) => ({ [operator]: value })),
      fc.constant({ $regex: "^a" }),
    );
    const filter = fc.record({ a: condition, b: condition }, { requiredKeys: [] });
    const collation = fc.constantFrom<CollationOptions | undefined>(undefined, caseless, { locale: "en", strength: 1 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { minLength: 1, maxLength: 8 }),
        fc.array(fc.tuple(filter, filter, collation), { minLength: 1, maxLength: 12 }),
        async (documents, queries) => {
          const numbered = documents.map((one, _id) => ({ _id, ...one }) as unknown as Document);
          for (const collection of [indexed, plain]) {
            await collection.deleteMany({});
            await collection.insertMany(numbered.map((one) => structuredClone(one)));
          }
          for (const [one, other, wanted] of queries) {
            const query = { $or: [one, { $and: [one, other] }] } as Document;
            for (const asked of [one as Document, { $and: [one, other] } as Document, query]) {
              const options = {
                sort: { a: 1, _id: 1 },
                ...(wanted === undefined ? {} : { collation: wanted }),
              } as const;
              const [got, expected] = [
                await indexed.find(asked, options).toArray(),
                await plain.find(asked, options).toArray(),
              ];
              assert.deepEqual(got, expected, JSON.stringify([asked, wanted]));
            }
          }
        },
      ),
      { numRuns: 20 },
    );
    assert.equal((await database.command({ validate: indexed.collectionName }))["valid"], true);
  });

  test("digits that count as numbers make no unique index", async () => {
    const numeric = { unique: true, collation: { locale: "en", numericOrdering: true } };
    await assert.rejects(fresh().createIndex({ a: 1 }, numeric), refusedWith(238));
  });
});
