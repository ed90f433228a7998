import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { serialize } from "bson";
import { describe } from "../../test/support/jobs-world.ts";
import type { CollectionDescription, SnapshotFacts, StoredSnapshot } from "../ports/snapshot-repository.ts";
import type { LoggedChanges, SourceReading } from "../ports/snapshot-source.ts";
import { planIncrement } from "./increment-plan.ts";

const logPosition = { seconds: 1, increment: 1, entryHash: new Uint8Array(32) };
const facts: SnapshotFacts = { consistency: "exact", logPosition, serverVersion: "8.0.0", capturedAtMs: 0 };

function snapshotOf(
  changes: Partial<SnapshotFacts> = {},
  documentCount = 10,
  collection = describe("orders"),
): StoredSnapshot {
  return { facts: { ...facts, ...changes }, collections: [{ ...collection, documentCount, dataSizeBytes: 1000 }] };
}

/** A reading of whose collections the log says that so many documents changed. */
function readingOf(
  changedCount: number,
  changes: Partial<SnapshotFacts> = {},
  collection = describe("orders"),
): SourceReading {
  const ids = Array.from({ length: changedCount }, () => new Uint8Array(9));
  return {
    facts: { ...facts, ...changes },
    collections: [collection],
    changesSince: async (): Promise<LoggedChanges> => ({ of: () => ({ ids }) }),
  } as Partial<SourceReading> as SourceReading;
}

suite("how a snapshot is read", () => {
  test("is from the log when the snapshot before has a place in it", async () => {
    const plan = await planIncrement(readingOf(3), snapshotOf(), "never");
    assert.equal(plan.way, "log");
    assert.deepEqual(plan.changesOf(describe("orders")), { ids: Array.from({ length: 3 }, () => new Uint8Array(9)) });
  });

  for (const [what, parent, reading] of [
    ["is none before", undefined, readingOf(0)],
    ["before was no single point in time", snapshotOf({ consistency: "log_catch_up" }), readingOf(0)],
    ["before has no place in the log", snapshotOf({ logPosition: undefined as never }), readingOf(0)],
    ["itself is no single point in time", snapshotOf(), readingOf(0, { consistency: "best_effort" })],
    ["itself has no place in the log", snapshotOf(), readingOf(0, { logPosition: undefined as never })],
  ] as const)
    test(`is everything when the snapshot ${what}`, async () => {
      const plan = await planIncrement(reading, parent, 1);
      assert.equal(plan.way, "read");
      assert.ok("unknown" in plan.changesOf(describe("orders")));
    });

  test("is everything, for the reason, when the log says nothing", async () => {
    const reading = { ...readingOf(0), changesSince: async () => ({ unknown: "it was cut off" }) };
    const { way, reason } = await planIncrement(reading, snapshotOf(), "never");
    assert.deepEqual([way, reason], ["read", "it was cut off"]);
  });

  for (const [what, collection] of [
    ["is another one of that name", describe("orders", { uuid: new Uint8Array(16).fill(1) })],
    ["was not there", describe("others")],
    ["is a view", describe("orders", { type: "view" })],
    ["is capped", describe("orders", { options: serialize({ capped: true, size: 5 }) })],
    ["is capped by a number", describe("orders", { options: serialize({ capped: 1, size: 5 }) })],
    ["has a collation", describe("orders", { options: serialize({ collation: { locale: "de" } }) })],
  ] as readonly [string, CollectionDescription][])
    test(`is all of a collection that ${what}, and the log is not asked about it`, async () => {
      let asked: readonly CollectionDescription[] = [];
      const reading: SourceReading = {
        ...readingOf(1, {}, collection),
        changesSince: async (_position, collections) => {
          asked = collections;
          return { of: () => ({ ids: [] }) };
        },
      };
      const plan = await planIncrement(reading, snapshotOf(), "never");
      assert.ok("unknown" in plan.changesOf(collection));
      assert.deepEqual(asked, []);
    });

  test("is from the log for a collection that says that it is not capped", async () => {
    const collection = describe("orders", { options: serialize({ capped: false }) });
    const plan = await planIncrement(readingOf(1, {}, collection), snapshotOf(), "never");
    assert.ok("ids" in plan.changesOf(collection));
  });

  for (const [documentCount, changedCount, isFromLog] of [
    [10, 999, true],
    [10, 1000, true],
    [10, 1001, false],
    [8000, 1999, true],
    [8000, 2000, true],
    [8000, 2001, false],
  ] as const)
    test(`is ${isFromLog ? "from the log" : "all"} of a collection of ${documentCount} documents of which ${changedCount} changed`, async () => {
      const plan = await planIncrement(readingOf(changedCount), snapshotOf({}, documentCount), "never");
      assert.equal("ids" in plan.changesOf(describe("orders")), isFromLog);
    });

  for (const [documentCount, most] of [
    [10, 1000],
    [8000, 2000],
  ] as const)
    test(`wants to know which of ${documentCount} documents changed when they are ${most} at most`, async () => {
      let told = 0;
      const reading: SourceReading = {
        ...readingOf(0),
        changesSince: async (_position, [collection], mostOf) => {
          if (collection !== undefined) told = mostOf?.(collection) ?? 0;
          return { of: () => ({ ids: [] }) };
        },
      };
      await planIncrement(reading, snapshotOf({}, documentCount), "never");
      assert.equal(told, most);
    });

  for (const [dataSizeBytes, most] of [
    [1000, 8_388_608],
    [9_000_000, 9_000_000],
  ] as const)
    test(`reads no more than ${most} bytes of the log when all documents have ${dataSizeBytes}`, async () => {
      let told: number | undefined;
      const reading: SourceReading = {
        ...readingOf(0),
        changesSince: async (_position, _collections, _mostOf, logMostBytes) => {
          told = logMostBytes;
          return { of: () => ({ ids: [] }) };
        },
      };
      const parent = snapshotOf({}, 10);
      const collections = parent.collections.map((one) => ({ ...one, dataSizeBytes }));
      await planIncrement(reading, { ...parent, collections }, "never");
      assert.equal(told, most);
    });

  for (const [every, inARow, check, way] of [
    ["never", 1_000_000, undefined, "log"],
    ["never", 0, "different", "log"],
    [1, 0, undefined, "check"],
    [3, 0, undefined, "log"],
    [3, 1, undefined, "log"],
    [3, 2, undefined, "check"],
    [3, 3, undefined, "check"],
    [3, 0, "equal", "log"],
    [3, 0, "different", "check"],
  ] as const)
    test(`with a check ${every === "never" ? every : `each ${every}`} is ${way} after ${inARow} in a row${check === undefined ? "" : ` and a check that was ${check}`}`, async () => {
      const parent = snapshotOf({
        incrementsInARow: inARow,
        ...(check === undefined ? {} : { incrementCheck: check }),
      });
      assert.equal((await planIncrement(readingOf(1), parent, every)).way, way);
    });
});
