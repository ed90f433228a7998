import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { correctedNextSnapshotAtMs, nextSnapshotAtMs, scheduledFrequency, snapshotIntervalMs } from "./schedule.ts";

const hourMs = 3_600_000;
const createdAtMs = Date.UTC(2026, 0, 1, 9, 30);

describe("the schedule", () => {
  test("the first snapshot is 6 hours after the creation, then every 6 hours", () => {
    assert.equal(nextSnapshotAtMs(createdAtMs, createdAtMs), createdAtMs + 6 * hourMs);
    assert.equal(nextSnapshotAtMs(createdAtMs, createdAtMs + 6 * hourMs - 1), createdAtMs + 6 * hourMs);
    assert.equal(nextSnapshotAtMs(createdAtMs, createdAtMs + 6 * hourMs), createdAtMs + 12 * hourMs);
  });

  test("after a pause of days only the next slot counts, and before its creation an instance waits for the first", () => {
    assert.equal(nextSnapshotAtMs(createdAtMs, createdAtMs + 100 * hourMs), createdAtMs + 102 * hourMs);
    assert.equal(nextSnapshotAtMs(createdAtMs, createdAtMs - 100 * hourMs), createdAtMs + 6 * hourMs);
  });

  test("whatever the clock says, the next slot lies ahead, at most 6 hours, and on the grid", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 41 }), fc.integer({ min: 0, max: 2 ** 41 }), (created, later) => {
        const nowMs = created + later;
        const next = nextSnapshotAtMs(created, nowMs);
        assert.ok(next > nowMs && next - nowMs <= snapshotIntervalMs);
        assert.equal((next - created) % snapshotIntervalMs, 0);
      }),
    );
  });

  test("a plan that lies too far ahead, because the clock was set back, is made anew", () => {
    const nowMs = createdAtMs + 50 * hourMs;
    const inTime = createdAtMs + 54 * hourMs;
    assert.equal(correctedNextSnapshotAtMs(createdAtMs, inTime, nowMs), inTime);
    assert.equal(correctedNextSnapshotAtMs(createdAtMs, createdAtMs, nowMs), createdAtMs, "overdue stays due");
    assert.equal(correctedNextSnapshotAtMs(createdAtMs, createdAtMs + 500 * hourMs, nowMs), inTime);
    const beforeCreation = createdAtMs - 24 * hourMs;
    const first = createdAtMs + 6 * hourMs;
    assert.equal(correctedNextSnapshotAtMs(createdAtMs, first, beforeCreation), first);
  });

  test("the first of each UTC day is the daily one, also when the one before was days ago or lies ahead", () => {
    const daily = Date.UTC(2026, 0, 5, 3, 30);
    assert.equal(scheduledFrequency(undefined, daily), "daily");
    assert.equal(scheduledFrequency(daily, Date.UTC(2026, 0, 5, 23, 59, 59)), "hourly");
    assert.equal(scheduledFrequency(daily, Date.UTC(2026, 0, 6)), "daily");
    assert.equal(scheduledFrequency(daily, Date.UTC(2026, 0, 9, 12)), "daily");
    assert.equal(scheduledFrequency(daily, Date.UTC(2026, 0, 4, 12)), "daily");
  });
});
