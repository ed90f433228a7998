import assert from "node:assert/strict";
import { test } from "node:test";
import { Binary, BSONRegExp, Decimal128, type Document, Double, Int32, Long, MinKey, ObjectId, Timestamp } from "bson";
import fc from "fast-check";
import { startWireWorld } from "../support/wire-world.ts";

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, "", "a", "$a", "a.b", "*", new Double(1.5), new Double(Number.NaN)),
  fc.constantFrom(new Double(Infinity), Long.MAX_VALUE, Long.MIN_VALUE, Decimal128.fromString("1E+6000")),
  fc.constantFrom(new ObjectId(), new Timestamp({ t: 1, i: 1 }), new MinKey(), new BSONRegExp("a", "i"), new Date(5)),
  fc.constantFrom(new Binary(Buffer.alloc(16), 4), new Binary(Buffer.alloc(3))),
  fc.integer({ min: -3, max: 200 }).map((number) => new Int32(number)),
);
const names = ["a", "n", "_id", "a.b", "a.0", "", "5", "id", "w", "j", "level", "key", "name", "batchSize", "locale"];
const operators = [
  "$gt",
  "$in",
  "$and",
  "$or",
  "$not",
  "$expr",
  "$elemMatch",
  "$regex",
  "$exists",
  "$type",
  "$size",
  "$mod",
];
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names, ...operators), tie("value"), { maxKeys: 3 }),
  ),
})).value;

const document = (keys: readonly string[]): fc.Arbitrary<unknown> =>
  fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 3 });
const condition = document([...names, "$and", "$or", "$nor", "$expr"]);
const change = fc.dictionary(
  fc.constantFrom("$set", "$inc", "$push", "$pull", "$unset", "$min", "$rename", "$pop", "$bit", "$setOnInsert"),
  document(["a", "n", "a.b", "a.$", "a.$[]", "a.$[x].b", "a.0", "_id"]),
  { maxKeys: 2 },
);
const stage = fc.dictionary(
  fc.constantFrom("$match", "$sort", "$limit", "$skip", "$project", "$group", "$count", "$unwind", "$addFields"),
  fc.oneof(value, document(["_id", "n", "path", "x"])),
  { minKeys: 1, maxKeys: 1 },
);
const number = fc.integer({ min: -1, max: 200 }).map((whole) => new Int32(whole));
const flag = fc.boolean();
/** What each field usually holds. */
const usual: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  filter: condition,
  query: condition,
  update: fc.oneof(change, document(names)),
  pipeline: fc.array(stage, { maxLength: 3 }),
  cursor: fc.constant({}),
  limit: number,
  skip: number,
  batchSize: number,
  hint: fc.constantFrom("_id_", "a", "$natural"),
  sort: fc.dictionary(fc.constantFrom(...names), fc.constantFrom(1, -1), { maxKeys: 2 }),
  projection: fc.dictionary(fc.constantFrom(...names), fc.oneof(fc.constantFrom<unknown>(1, 0), value), { maxKeys: 3 }),
  fields: document(names),
  key: fc.constantFrom("a", "a.b", "n", "", "$n", "a..b"),
  let: document(["a", "n"]),
  readConcern: fc.constantFrom({ level: "majority" }, { level: "snapshot" }),
  ordered: flag,
  remove: flag,
  new: flag,
  upsert: flag,
  nameOnly: flag,
  documents: fc.array(document(names), { maxLength: 3 }),
  updates: fc.array(fc.record({ q: condition, u: change }), { maxLength: 2 }),
  deletes: fc.array(fc.record({ q: condition, limit: fc.constantFrom(0, 1) }), { maxLength: 2 }),
  indexes: fc.array(fc.record({ key: document(names), name: fc.constantFrom("a", "n", "") }), { maxLength: 2 }),
};
const fields: Readonly<Record<string, readonly string[]>> = {
  find: ["filter", "sort", "projection", "limit", "skip", "batchSize", "hint", "let", "readConcern", "collation"],
  aggregate: ["pipeline", "cursor", "let", "hint", "readConcern"],
  count: ["query", "limit", "skip", "hint", "maxTimeMS"],
  distinct: ["key", "query", "hint"],
  insert: ["documents", "ordered", "writeConcern", "lsid", "txnNumber"],
  update: ["updates", "ordered", "let", "writeConcern", "lsid", "txnNumber"],
  delete: ["deletes", "ordered", "let", "writeConcern"],
  findAndModify: ["query", "update", "remove", "new", "upsert", "sort", "fields", "arrayFilters", "hint"],
  createIndexes: ["indexes"],
  dropIndexes: ["index"],
  create: ["capped", "validator", "collation"],
  getMore: ["collection", "batchSize"],
  killCursors: ["cursors"],
  listCollections: ["filter", "nameOnly", "cursor", "authorizedCollections"],
  hello: ["topologyVersion", "speculativeAuthenticate", "saslSupportedMechs"],
  saslStart: ["mechanism", "payload", "options"],
  saslContinue: ["payload", "conversationId"],
  endSessions: [],
  getParameter: ["featureCompatibilityVersion"],
};

const command = fc.constantFrom(...Object.entries(fields)).chain(([name, known]) =>
  fc.record({
    name: fc.constant(name),
    main: fc.oneof({ weight: 6, arbitrary: fc.constant<unknown>("a") }, { weight: 1, arbitrary: value }),
    rest: fc.record(
      Object.fromEntries(
        known.map((field) => [
          field,
          fc.oneof({ weight: 5, arbitrary: usual[field] ?? value }, { weight: 1, arbitrary: value }),
        ]),
      ),
      { requiredKeys: [] },
    ),
  }),
);

test("whatever a user asks for is answered, by what was asked for or by an error that is meant", async () => {
  const world = await startWireWorld();
  let client = await world.raw();
  await client.login("admin", "password");
  await client.command(
    {
      insert: "a",
      documents: [
        { _id: 1, n: 1, a: [1, { b: 2 }] },
        { _id: 2, n: "x" },
      ],
    },
    "shop",
  );
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(command, async ({ name, main, rest }) => {
      const reply: Document = await client.command({ [name]: main, ...rest }, name === "hello" ? "admin" : "shop");
      if (client.socket.destroyed) {
        client = await world.raw();
        await client.login("admin", "password");
      }
      // The one error that is not meant is what nobody thought of; it is logged.
      assert.deepEqual(
        world.logged.map(({ fields: of }) => String((of as { err?: Error }).err?.stack)),
        [],
      );
      if (reply["ok"] !== undefined) answered += 1;
    }),
    { numRuns: 2500 },
  );
  assert.ok(answered > 2300, `only ${answered} were answered`);
  await world.stop();
});
