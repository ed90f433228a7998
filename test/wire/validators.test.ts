import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Db, Document } from "mongodb";
import { startWireWorld, type WireWorld } from "../support/wire-world.ts";

const schema = {
  $jsonSchema: {
    bsonType: "object",
    title: "Student",
    required: ["name", "year"],
    properties: { year: { bsonType: "int", minimum: 2017, description: "must be an integer from 2017 on" } },
  },
};

describe("validators through the driver", () => {
  let world: WireWorld;
  let db: Db;
  before(async () => {
    world = await startWireWorld();
    db = world.as("admin").db("school");
  });
  after(() => world.stop());

  const failureOf = (work: Promise<unknown>): Promise<{ readonly code: number; readonly errInfo: Document }> =>
    work.then(
      () => assert.fail("it was taken"),
      (error: unknown) => error as { code: number; errInfo: Document },
    );

  test("what the schema does not allow is refused with 121, and errInfo says why", async () => {
    const students = await db.createCollection<Document>("students", { validator: schema });
    await students.insertOne({ name: "a", year: 2020 });
    const failure = await failureOf(students.insertOne({ _id: 5 as never, year: 2000 }));
    assert.equal(failure.code, 121);
    assert.deepEqual(failure.errInfo, {
      failingDocumentId: 5,
      details: {
        operatorName: "$jsonSchema",
        title: "Student",
        schemaRulesNotSatisfied: [
          { operatorName: "required", specifiedAs: { required: ["name", "year"] }, missingProperties: ["name"] },
          {
            operatorName: "properties",
            propertiesNotSatisfied: [
              {
                propertyName: "year",
                description: "must be an integer from 2017 on",
                details: [
                  {
                    operatorName: "minimum",
                    specifiedAs: { minimum: 2017 },
                    reason: "comparison failed",
                    consideredValue: 2000,
                  },
                ],
              },
            ],
          },
        ],
      },
    });
    assert.equal(await students.countDocuments({}), 1);
  });

  test("every way of writing is held to it: many, updates, replacements, upserts, findAndModify", async () => {
    const students = await db.createCollection<Document>("ways", { validator: { year: { $gte: 2017 } } });
    await students.insertOne({ name: "a", year: 2020 });
    const code = async (work: Promise<unknown>): Promise<number> => (await failureOf(work)).code;
    assert.equal(await code(students.insertMany([{ year: 2018 }, { year: 1 }, { year: 2019 }])), 121);
    assert.equal(await students.countDocuments({}), 2, "ordered: what came before is there");
    assert.equal(await code(students.updateOne({ name: "a" }, { $set: { year: 1 } })), 121);
    assert.equal(await code(students.replaceOne({ name: "a" }, { name: "a" })), 121);
    assert.equal(await code(students.updateOne({ name: "b" }, { $set: { year: 1 } }, { upsert: true })), 121);
    assert.equal(await code(students.findOneAndUpdate({ name: "a" }, { $set: { year: 1 } })), 121);
    assert.equal((await students.findOne({ name: "a" }))?.["year"], 2020);
    const failure = await failureOf(students.insertOne({ year: 5 }));
    assert.deepEqual(failure.errInfo["details"], {
      operatorName: "$gte",
      specifiedAs: { year: { $gte: 2017 } },
      reason: "comparison failed",
      consideredValue: 5,
    });
  });

  test("who bypasses it is not held to it", async () => {
    const students = await db.createCollection<Document>("bypass", { validator: { a: 1 } });
    await students.insertOne({ a: 2 }, { bypassDocumentValidation: true });
    await students.updateOne({ a: 2 }, { $set: { a: 3 } }, { bypassDocumentValidation: true });
    assert.equal(await students.countDocuments({ a: 3 }), 1);
  });

  test("at level moderate what did not fit may stay as it is, and what did must go on fitting", async () => {
    const students = await db.createCollection<Document>("moderate", {
      validator: { a: 1 },
      validationLevel: "moderate",
    });
    await students.insertOne({ _id: 1 as never, a: 2 }, { bypassDocumentValidation: true });
    await students.insertOne({ _id: 2 as never, a: 1 });
    await students.updateOne({ _id: 1 as never }, { $set: { b: 1 } });
    assert.equal((await failureOf(students.updateOne({ _id: 2 as never }, { $set: { a: 2 } }))).code, 121);
    assert.equal((await failureOf(students.insertOne({ a: 2 }))).code, 121);
  });

  test("the action warn takes the document, and collMod changes all of it", async () => {
    const students = await db.createCollection<Document>("warned", { validator: { a: 1 }, validationAction: "warn" });
    await students.insertOne({ a: 2 });
    await db.command({ collMod: "warned", validationAction: "error" });
    assert.equal((await failureOf(students.insertOne({ a: 2 }))).code, 121);
    await db.command({ collMod: "warned", validator: { a: 2 } });
    await students.insertOne({ a: 2 });
    await db.command({ collMod: "warned", validationLevel: "off" });
    await students.insertOne({ a: 3 });
    const [listed] = await db.listCollections({ name: "warned" }).toArray();
    assert.deepEqual((listed as { options?: Document }).options, {
      validator: { a: 2 },
      validationAction: "error",
      validationLevel: "off",
    });
  });

  test("what is no validator is refused", async () => {
    const code = async (options: Document, name = "bad"): Promise<number> =>
      (await failureOf(db.command({ create: name, ...options }))).code;
    assert.equal(await code({ validator: { $nothing: 1 } }), 2);
    assert.equal(await code({ validator: { $jsonSchema: { nothing: 1 } } }), 9);
    assert.equal(await code({ validator: 5 }), 14);
    assert.equal(await code({ validator: {}, validationLevel: "high" }), 2);
    assert.equal(await code({ validator: {}, validationAction: "shout" }), 2);
    const admin = world
      .as("admin")
      .db("admin")
      .command({ create: "ruled", validator: { a: 1 } });
    assert.equal((await failureOf(admin)).code, 72);
  });
});
