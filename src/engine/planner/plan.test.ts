import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { deserialize, type Document, serialize } from "bson";
import fc from "fast-check";
import { createSystemClock } from "../../adapters/clock-system.ts";
import { createRandomIds } from "../../adapters/ids-random.ts";
import { EmbeddedEngine } from "../embedded-engine.ts";
import type { Engine } from "../index.ts";
import { parseCollation } from "../query/collation.ts";
import { createSortOrder, parseSort } from "../query/sort.ts";

const signal = new AbortController().signal;
const write = { signal, durable: false };
const limits = { maxDocuments: 10_000, maxBytes: Number.POSITIVE_INFINITY };

const scalar = fc.oneof(
  fc.integer({ min: -2, max: 3 }),
  fc.constantFrom(0.5, Number.NaN, -0),
  fc.constantFrom("", "a", "ab", "b", "A"),
  fc.constantFrom(null, true, new Date(0), undefined),
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 3, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  fc.record({ c: scalar }),
  fc.array(fc.record({ c: scalar }), { maxLength: 2 }),
);
const stored = fc.record({ a: value, b: value }, { requiredKeys: [] });
const condition = fc.oneof(
  scalar,
  fc.record({
    $in: fc.array(
      scalar.filter((one) => one !== undefined),
      { maxLength: 3 },
    ),
  }),
  fc
    .tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte", "$eq", "$ne"), scalar)
    .map(([operator, one]) => ({ [operator]: one })),
  {
    weight: 2,
    arbitrary: fc.integer({ min: -2, max: 2 }).map((low) => ({ $gte: low, $lt: low + 1 })),
  },
  fc.constantFrom({ $exists: true }, { $exists: false }, /^a/, { $regex: "^ab" }, { $type: "string" }, { $size: 0 }),
);
const conditions = fc.dictionary(fc.constantFrom("a", "b", "a.c", "_id"), condition, { maxKeys: 3 });
const query = fc.oneof(
  { weight: 3, arbitrary: conditions },
  fc.tuple(conditions, fc.array(conditions, { minLength: 1, maxLength: 3 })).map(([all, $or]) => ({ ...all, $or })),
  fc.tuple(conditions, conditions).map(($and) => ({ $and })),
);
const pattern = fc
  .uniqueArray(fc.constantFrom("a", "b", "a.c"), { minLength: 1, maxLength: 2 })
  .chain((paths) =>
    fc
      .tuple(...paths.map(() => fc.constantFrom(1, -1)))
      .map((directions) => Object.fromEntries(paths.map((path, index) => [path, directions[index]]))),
  );
const options = fc.constantFrom<Document>(
  {},
  {},
  { sparse: true },
  { partialFilterExpression: { a: { $gt: 0 } } },
  { partialFilterExpression: { a: { $gte: 1 } } },
  { partialFilterExpression: { b: { $exists: true } } },
  { partialFilterExpression: { $or: [{ a: "a" }, { b: { $lte: 1 } }] } },
);

describe("the planner", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-planner-"));
  const ids = createRandomIds(createSystemClock());
  let engine: Engine;
  let count = 0;
  before(() => {
    engine = new EmbeddedEngine({
      path: join(folder, "data.sqlite"),
      clock: createSystemClock(),
      randomBytes: (length) => ids.randomBytes(length),
    });
  });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  async function found(name: string, filter: Document, more: Document): Promise<string[]> {
    const given = {
      ...(more["sort"] === undefined ? {} : { sort: serialize(more["sort"] as Document) }),
      ...(more["hint"] === undefined ? {} : { hint: more["hint"] as string }),
      ...(more["collation"] === undefined ? {} : { collation: serialize(more["collation"] as Document) }),
    };
    const cursor = await engine.find(
      { database: "d", collection: name },
      { filter: serialize(filter, { ignoreUndefined: true }), ...given },
      { signal },
    );
    const documents: string[] = [];
    while (!cursor.exhausted)
      for (const bytes of await cursor.next(limits, signal)) documents.push(String(deserialize(bytes)["_id"]));
    return documents;
  }

  test("over arrays conditions may be met by several elements, and the first element orders that a scan orders by", async () => {
    const namespace = { database: "d", collection: "arrays" };
    await engine.createIndexes(namespace, [serialize({ key: { a: 1 }, name: "a" })], write);
    const documents = [{ a: [0, 3] }, { a: [1, 9] }, { a: 5 }].map((document, _id) => serialize({ _id, ...document }));
    await engine.insert(namespace, documents, true, write);
    assert.deepEqual((await found("arrays", { a: { $gte: 1, $lt: 2 } }, {})).toSorted(), ["0", "1"]);
    assert.deepEqual(await found("arrays", { a: { $gte: 4 } }, { sort: { a: 1 } }), ["1", "2"]);
  });

  test("a partial index is used for what it surely has, and for nothing more", async () => {
    const namespace = { database: "d", collection: "partial" };
    const index = { key: { a: 1 }, name: "a", partialFilterExpression: { a: { $gte: 1 } } };
    await engine.createIndexes(namespace, [serialize(index)], write);
    await engine.insert(
      namespace,
      [0, 1, 2].map((a) => serialize({ _id: a, a })),
      true,
      write,
    );
    for (const [low, ids] of [
      [0, ["0", "1", "2"]],
      [1, ["1", "2"]],
      [2, ["2"]],
    ] as const)
      assert.deepEqual(await found("partial", { a: { $gte: low } }, {}), ids);
    const plan = async (low: number): Promise<Document> => {
      const request = { filter: serialize({ a: { $gte: low } }), execute: false, allPlans: false };
      return deserialize(await engine.explain(namespace, request, { signal }))["queryPlanner"].winningPlan as Document;
    };
    assert.deepEqual([(await plan(0))["stage"], (await plan(1))["stage"]], ["COLLSCAN", "FETCH"]);
  });

  test("a partial index of a range of numbers is not used for NaN, which is in no range", async () => {
    const namespace = { database: "d", collection: "nan" };
    const index = { key: { a: 1 }, name: "a", partialFilterExpression: { b: { $lte: 1 } } };
    await engine.createIndexes(namespace, [serialize(index)], write);
    await engine.insert(namespace, [serialize({ _id: 0, a: 1, b: Number.NaN })], true, write);
    for (const b of [Number.NaN, { $in: [Number.NaN] }, { $lte: Number.NaN }])
      assert.deepEqual(await found("nan", { a: 1, b }, {}), ["0"]);
  });

  test("two arrays do not go into one index, whether they hold documents or nothing", async () => {
    const namespace = { database: "d", collection: "parallel" };
    await engine.createIndexes(namespace, [serialize({ key: { b: 1, "a.c": 1 }, name: "both" })], write);
    const documents = [
      { a: [], b: [] },
      { a: [1], b: [1] },
      { a: [{ c: 1 }], b: [] },
      { a: [], b: 1 },
      { a: {}, b: [] },
    ];
    const given = documents.map((document, _id) => serialize({ _id, ...document }));
    const { writeErrors } = await engine.insert(namespace, given, false, write);
    assert.deepEqual(
      writeErrors.map(({ index, code: number }) => [index, number]),
      [0, 1, 2].map((index) => [index, 171]),
    );
  });

  test("whatever the indexes, a query finds what a scan finds, in the order asked for", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stored, { maxLength: 12 }),
        fc.array(fc.tuple(pattern, options), { minLength: 1, maxLength: 3 }),
        fc.array(query, { minLength: 1, maxLength: 6 }),
        pattern,
        fc.constantFrom(undefined, { locale: "en", strength: 2 }),
        async (documents, indexes, queries, sort, collation) => {
          count += 1;
          const namespace = { database: "d", collection: `c${count}` };
          for (const [index, [key, more]] of indexes.entries())
            await engine
              .createIndexes(namespace, [serialize({ key, name: `i${index}`, ...more })], write)
              .catch(sameIndex);
          const filled = documents.map((document, _id) => serialize({ _id, ...document }, { ignoreUndefined: false }));
          // What an index cannot hold, two arrays at once, stays out.
          await engine.insert(namespace, filled, false, write);
          for (const filter of queries) {
            const scanned = await found(namespace.collection, filter, { hint: "$natural", collation });
            const chosen = await found(namespace.collection, filter, { collation });
            assert.deepEqual(chosen.toSorted(), scanned.toSorted());
            const order = { ...sort, _id: 1 };
            const sorted = await found(namespace.collection, filter, {
              hint: "$natural",
              collation,
              sort: order,
            }).catch(code);
            assert.deepEqual(await found(namespace.collection, filter, { collation, sort: order }).catch(code), sorted);
            // An order by fields alone leaves ties open: the documents are the same, and each comes where its key has it.
            const ordered = await found(namespace.collection, filter, { collation, sort }).catch(code);
            assert.deepEqual(ordered.toSorted(), sorted.toSorted());
            const by = createSortOrder(parseSort(serialize(sort)), collation && parseCollation(serialize(collation)));
            const keys = ordered.map((id) => by.keyOf(filled[Number(id)] as Uint8Array));
            for (const [position, key] of keys.entries())
              assert.ok(position === 0 || by.compare(keys[position - 1] as typeof key, key) <= 0, "in order");
          }
          await engine.dropCollection(namespace, write);
        },
      ),
      { numRuns: 250 },
    );
  });
});

/** An equal index, or one of these options beside it, says so. */
function sameIndex(error: unknown): void {
  assert.ok([85, 86].includes((error as { code: number }).code), String(error));
}

/** Parallel arrays cannot be sorted by. */
function code(error: unknown): string[] {
  assert.equal((error as { code: number }).code, 2, String(error));
  return [];
}
