import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, test } from "node:test";
import { deploymentId, idOf, putParents, snapshot } from "../../../test/support/records.ts";
import type { Metadata } from "../../ports/metadata/metadata.ts";
import { Kysely } from "kysely";
import { nodeSqliteDialect, noTurns, openForReading } from "./node-sqlite.ts";
import type { Schema } from "./schema.ts";
import { newestSnapshots, snapshotsFromOffset } from "./snapshot-positions.ts";
import { createSqliteMetadata } from "./sqlite-metadata.ts";

const total = 200_000;

describe("pages of a deployment with 200,000 snapshots", () => {
  const folder = mkdtempSync(join(tmpdir(), "telamon-positions-"));
  const path = join(folder, "metadata.sqlite");
  let metadata: Metadata;

  before(async () => {
    metadata = await createSqliteMetadata({ path });
    await putParents(metadata);
    for (let first = 1; first <= total; first += 20_000) {
      await metadata.snapshots.insertMany(Array.from({ length: 20_000 }, (_, index) => snapshot(idOf(first + index))));
    }
  });
  after(async () => {
    await metadata.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The ids of a page, as numbers, with what the page says of itself. */
  const look = async (pageNumber: number, itemsPerPage: number) => {
    const page = await metadata.snapshots.page(deploymentId, { pageNumber, itemsPerPage, includeCount: true });
    const numbers = page.items.map((item) => Number.parseInt(item.id, 16));
    return {
      first: numbers[0],
      last: numbers.at(-1),
      count: numbers.length,
      total: page.totalCount,
      hasNext: page.hasNext,
    };
  };

  test("the first, a middle, the last page and the one past it hold what they must", async () => {
    assert.deepEqual(await look(1, 500), { first: total, last: total - 499, count: 500, total, hasNext: true });
    assert.deepEqual(await look(200, 500), { first: 100_500, last: 100_001, count: 500, total, hasNext: true });
    assert.deepEqual(await look(400, 500), { first: 500, last: 1, count: 500, total, hasNext: false });
    assert.deepEqual(await look(total, 1), { first: 1, last: 1, count: 1, total, hasNext: false });
    assert.deepEqual(await look(total + 1, 1), { first: undefined, last: undefined, count: 0, total, hasNext: false });
    assert.deepEqual(await look(2 ** 40, 500), { first: undefined, last: undefined, count: 0, total, hasNext: false });
  });

  test("deletions at both ends and across borders of the counted runs keep deep pages exact", async () => {
    const gone = new Set([1, 2, 15, 16, 17, 4095, 4096, 65_535, 65_536, 65_537, 150_000, total]);
    for (const number of gone) await metadata.snapshots.delete(idOf(number));
    const left = Array.from({ length: total }, (_, index) => total - index).filter((number) => !gone.has(number));
    for (const position of [
      0,
      1,
      49_999,
      50_000,
      134_460,
      134_463,
      195_900,
      195_904,
      left.length - 2,
      left.length - 1,
    ]) {
      const { first, total: counted } = await look(position + 1, 1);
      assert.deepEqual([first, counted], [left[position], left.length], `position ${position}`);
    }
  });

  test("no page walks over the snapshots before it: every step is an index search, and each run it counts is short", async () => {
    const reader = openForReading(path);
    const explained = new Kysely<Schema>({ dialect: nodeSqliteDialect(explaining(reader), noTurns()) });
    const firstPage = stepsOf(await newestSnapshots(explained, { deploymentId, limit: 101 }));
    const deepPage = stepsOf(await snapshotsFromOffset(explained, { deploymentId, limit: 101, offset: total - 100 }));
    const onTables = [...firstPage, ...deepPage].filter((step) => /^(SEARCH|SCAN) (s|snapshot\w*)\b/.test(step));
    assert.deepEqual([...new Set(onTables)].toSorted(), [
      "SEARCH s USING PRIMARY KEY (deployment_id=? AND sequence>? AND sequence<?)",
      "SEARCH s USING PRIMARY KEY (deployment_id=? AND shift=? AND bucket>? AND bucket<?)",
      "SEARCH s USING PRIMARY KEY (deployment_id=? AND shift=?)",
      "SEARCH snapshot_counters USING PRIMARY KEY (deployment_id=?)",
      "SEARCH snapshots USING PRIMARY KEY (deployment_id=? AND sequence<?)",
      "SEARCH snapshots USING PRIMARY KEY (deployment_id=?)",
    ]);
    assert.ok(!firstPage.some((step) => step.includes("TEMP B-TREE")), "the first page is read in order, not sorted");

    // How much each of those searches can find: the rows of the level above the lowest four bits, grouped as they are read.
    const longest = reader
      .prepare(
        `SELECT MAX(length) AS length FROM (SELECT COUNT(*) AS length FROM snapshot_buckets GROUP BY shift, bucket / 16)`,
      )
      .get() as { readonly length: number };
    assert.equal(longest.length, 16);
    const topRows = reader.prepare(`SELECT COUNT(*) AS rows FROM snapshot_buckets WHERE shift = 20`).get();
    assert.deepEqual({ ...topRows }, { rows: 1 });
    reader.close();
  });

  test("counts are those of the rows, and runs of none leave no row behind", async () => {
    const reader = new DatabaseSync(path, { readOnly: true });
    for (const shift of [4, 8, 12, 16, 20]) {
      const actual = reader
        .prepare("SELECT sequence >> ? AS bucket, COUNT(*) AS snapshot_count FROM snapshots GROUP BY 1 ORDER BY 1")
        .all(shift);
      const kept = reader
        .prepare("SELECT bucket, snapshot_count FROM snapshot_buckets WHERE shift = ? ORDER BY bucket")
        .all(shift);
      assert.deepEqual(kept, actual, `shift ${shift}`);
    }
    reader.close();
  });
});

interface PlanStep {
  readonly detail: string;
}

function stepsOf(result: { readonly rows: readonly unknown[] }): readonly string[] {
  return (result.rows as readonly PlanStep[]).map((step) => step.detail);
}

/** The same connection, whose statements are explained instead of run. */
function explaining(database: DatabaseSync): DatabaseSync {
  return new Proxy(database, {
    get: (target, name) =>
      name === "prepare" ? (sql: string) => target.prepare(`EXPLAIN QUERY PLAN ${sql}`) : Reflect.get(target, name),
  });
}
