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
import { bucketsBetween, findCounter, newestSnapshots, sequencesBetween, snapshotsFrom } from "./snapshot-positions.ts";
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

  test("a deep page is of one moment, also when snapshots arrive while it is looked for", async () => {
    const arrivals = Array.from({ length: 200 }, (_, index) => idOf(2 ** 30 + index));
    const deep = { pageNumber: 50_000, itemsPerPage: 3, includeCount: true };
    const before = await metadata.snapshots.page(deploymentId, deep);
    const totals = new Set<number>();
    const arrive = async (): Promise<void> => {
      for (const id of arrivals) await metadata.snapshots.insert(snapshot(id));
    };
    const lookAgainAndAgain = async (): Promise<void> => {
      for (let number = 0; number < 400; number += 1) {
        // Begun at another moment of the writer's work each time, or the two would run in step.
        for (let pause = 0; pause < number % 61; pause += 1) await Promise.resolve();
        const page = await metadata.snapshots.page(deploymentId, deep);
        totals.add(page.totalCount);
        // Every arrival moves each page by one.
        const arrived = page.totalCount - before.totalCount;
        assert.equal(page.items[0]?.sequence, (before.items[0]?.sequence ?? 0) + arrived);
      }
    };
    await Promise.all([arrive(), lookAgainAndAgain()]);
    assert.ok(totals.size > 10, "pages were looked for while snapshots arrived");
    for (const id of arrivals) await metadata.snapshots.delete(id);
  });

  test("no page walks over the snapshots before it: every step is an index search, and each run it counts is short", async () => {
    const reader = openForReading(path);
    const explained = new Kysely<Schema>({ dialect: nodeSqliteDialect(explaining(reader), noTurns()) });
    const range = { deploymentId, first: 1, end: 2 };
    const plans = [
      await newestSnapshots(explained, { deploymentId, limit: 101 }),
      await snapshotsFrom(explained, { deploymentId, sequence: 100, limit: 101 }),
      await findCounter(explained, { deploymentId }),
      await bucketsBetween(explained, { ...range, shift: 4 }),
      await sequencesBetween(explained, range),
    ];
    const counters = "SEARCH snapshot_counters USING PRIMARY KEY (deployment_id=?)";
    // No sorting either: each is read in the order of its key and ends with its limit or its range.
    assert.deepEqual([...new Set(plans.flatMap(stepsOf))].filter((step) => !step.startsWith("SCALAR")).toSorted(), [
      "SEARCH snapshot_buckets USING PRIMARY KEY (deployment_id=? AND shift=? AND bucket>? AND bucket<?)",
      counters,
      "SEARCH snapshots USING PRIMARY KEY (deployment_id=? AND sequence<?)",
      "SEARCH snapshots USING PRIMARY KEY (deployment_id=? AND sequence>? AND sequence<?)",
      "SEARCH snapshots USING PRIMARY KEY (deployment_id=?)",
    ]);

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
