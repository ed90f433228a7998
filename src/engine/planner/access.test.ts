import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { serialize } from "bson";
import { getField } from "../bson/walk.ts";
import { numberOf, type Value } from "../bson/value.ts";
import { Catalog, type CollectionRecord } from "../catalog/catalog.ts";
import { EmbeddedEngine } from "../embedded-engine.ts";
import type { Engine } from "../index.ts";
import { compileFilter } from "../query/filter.ts";
import { parseSort } from "../query/sort.ts";
import { Connection } from "../storage/database-file.ts";
import { storedBatches } from "./access.ts";
import { choosePlan } from "./plan.ts";

const mebibyte = 1024 * 1024;
const write = { signal: new AbortController().signal, durable: false };
/** 30 small documents, 10 of 2 MiB, 5 of 9 MiB: more than a batch may hold, and not to be guessed from their mean. */
const sizes = [
  ...Array<number>(30).fill(10),
  ...Array<number>(10).fill(2 * mebibyte),
  ...Array<number>(5).fill(9 * mebibyte),
];

describe("batches of stored documents", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-access-"));
  const path = join(folder, "data.sqlite");
  let engine: Engine;
  let connection: Connection;
  let record: CollectionRecord;
  before(async () => {
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    engine = new EmbeddedEngine({ path, clock, randomBytes });
    const namespace = { database: "test", collection: "large" };
    const documents = sizes.map((size, _id) => serialize({ _id, n: -_id, filler: "x".repeat(size) }));
    await engine.insert(namespace, documents, true, write);
    await engine.createIndexes(namespace, [serialize({ key: { n: 1 }, name: "n_1" })], write);
    connection = new Connection(path, { readOnly: true });
    record = Catalog.load(connection).find(namespace) as CollectionRecord;
  });
  after(async () => {
    connection.close();
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  const upwards = sizes.map((_size, number) => number);
  for (const [name, filter, sort, expected] of [
    ["a scan", {}, {}, upwards],
    ["the keys of _id", {}, { _id: 1 }, upwards],
    ["the keys of _id backwards", {}, { _id: -1 }, upwards.toReversed()],
    ["an index", { n: { $lte: 0 } }, {}, upwards.toReversed()],
    ["an index backwards", { n: { $lte: 0 } }, { n: -1 }, upwards],
  ] as const) {
    test(`${name} gives every document once and in order, and never holds more than 16 MiB of several`, () => {
      const plan = choosePlan(record, compileFilter(serialize(filter)), parseSort(serialize(sort)), undefined);
      assert.equal(plan.sorted, true);
      const batches = [...storedBatches(connection, record, plan)];
      const ids = batches.flat().map(({ bytes }) => numberOf(getField(bytes, "_id") as Value));
      assert.deepEqual(ids, expected);
      for (const batch of batches) {
        const bytes = batch.reduce((sum, one) => sum + one.bytes.length, 0);
        assert.ok(batch.length === 1 || bytes <= 16 * mebibyte, `${batch.length} documents of ${bytes} bytes`);
      }
      assert.ok(batches.some(({ length }) => length > 1));
    });
  }
});
