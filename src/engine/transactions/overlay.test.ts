import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { serialize } from "bson";
import { Catalog, type CollectionRecord } from "../catalog/catalog.ts";
import { EmbeddedEngine } from "../embedded-engine.ts";
import { storedBatches } from "../planner/access.ts";
import { choosePlan } from "../planner/plan.ts";
import { compileFilter } from "../query/filter.ts";
import { parseSort } from "../query/sort.ts";
import type { Row } from "../storage/database-file.ts";
import { Overlay } from "./overlay.ts";

/** Notes what is asked of it. */
class NotedOverlay extends Overlay {
  readonly asked = new Set<string>();

  override all(sql: string, ...parameters: Row): Row[] {
    this.asked.add(sql);
    return super.all(sql, ...parameters);
  }

  override get(sql: string, ...parameters: Row): Row | undefined {
    this.asked.add(sql);
    return super.get(sql, ...parameters);
  }

  /** How SQLite does what was asked. */
  plans(): string[] {
    return [...this.asked].flatMap((sql) =>
      super.all(`EXPLAIN QUERY PLAN ${sql}`, ...sql.matchAll(/\?/g).map(() => 1)).map((row) => String(row[3])),
    );
  }
}

describe("a collection that a transaction has written to", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-overlay-"));
  after(() => rmSync(folder, { recursive: true }));

  test("is read by its keys, whatever its size and the order: nothing is gathered and sorted first", async () => {
    const path = join(folder, "data.sqlite");
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    const engine = new EmbeddedEngine({ path, clock, randomBytes });
    const namespace = { database: "d", collection: "c" };
    const write = { signal: new AbortController().signal, durable: false };
    await engine.createIndexes(namespace, [serialize({ key: { n: 1 } })], write);
    // Above 16 MiB sizes are looked at before documents are read.
    for (let n = 0; n < 40; n += 1)
      await engine.insert(namespace, [serialize({ _id: n, n, filling: "x".repeat(500_000) })], true, write);
    await engine.close();

    const overlay = new NotedOverlay(path);
    const record = Catalog.load(overlay).find(namespace) as CollectionRecord;
    overlay.cover(record);
    for (const [filter, sort] of [
      [{}, {}],
      [{ _id: { $gt: 3 } }, {}],
      [{ _id: { $gt: 3 } }, { _id: -1 }],
      [{ n: { $gt: 3 } }, {}],
      [{ n: { $gt: 3 } }, { n: -1 }],
    ] as const) {
      const plan = choosePlan(record, compileFilter(serialize(filter)), parseSort(serialize(sort)), undefined);
      const found = [...storedBatches(overlay, record, plan)].reduce((sum, batch) => sum + batch.length, 0);
      assert.equal(found, Object.keys(filter).length === 0 ? 40 : 36);
    }
    const plans = overlay.plans();
    assert.ok(plans.some((one) => one.startsWith("SEARCH added_x_")));
    assert.deepEqual(
      plans.filter((one) => /MATERIALIZE|TEMP B-TREE|AUTOMATIC/.test(one)),
      [],
    );
    overlay.close();
  });
});
