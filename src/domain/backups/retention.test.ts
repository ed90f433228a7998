import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { expiresAtMs, isRetentionInDays, onDemandRetentionMs, scheduledRetentionMs } from "./retention.ts";
import { snapshotIntervalMs } from "./schedule.ts";

const hourMs = 3_600_000;

describe("retention", () => {
  test("without continuous backup the two newest of the schedule are kept", () => {
    assert.equal(scheduledRetentionMs(false, "hourly"), 2 * snapshotIntervalMs);
    assert.equal(scheduledRetentionMs(false, "daily"), 2 * snapshotIntervalMs);
  });

  test("with continuous backup hourly ones are kept 72 hours and daily ones 35 days", () => {
    assert.equal(scheduledRetentionMs(true, "hourly"), 72 * hourMs);
    assert.equal(scheduledRetentionMs(true, "daily"), 35 * 24 * hourMs);
  });

  test("on demand: whole days from 1 to 3650", () => {
    for (const days of [1, 2, 3650]) assert.equal(isRetentionInDays(days), true, String(days));
    for (const days of [0, -1, 1.5, 3651, Number.NaN, Infinity])
      assert.equal(isRetentionInDays(days), false, String(days));
    assert.equal(expiresAtMs(1000, onDemandRetentionMs(2)), 1000 + 48 * hourMs);
  });
});
