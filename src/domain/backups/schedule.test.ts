import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { anyPolicy, anyTimeMs } from "../../../test/support/policies.ts";
import { deployment } from "../../../test/support/records.ts";
import { noSnapshotPlannedAtMs } from "../../ports/metadata/deployment-records.ts";
import { presetPolicy } from "./policy.ts";
import { latestSlotAtMs } from "./policy-slots.ts";
import { correctedNextSnapshotAtMs, itemsDue, nextSnapshotAtMs, retryAtMs } from "./schedule.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const createdAtMs = Date.UTC(2026, 0, 1, 9, 30);
const continuous = presetPolicy("SERVERLESS_CONTINUOUS", deployment({ createdAtMs }));
const dedicated = presetPolicy("DEDICATED", deployment({ createdAtMs }));
const names = (...due: Parameters<typeof itemsDue>): readonly string[] =>
  itemsDue(...due).map(({ frequencyType }) => frequencyType);

describe("the schedule", () => {
  test("the first snapshot is 6 hours after the creation, then every 6 hours", () => {
    assert.equal(nextSnapshotAtMs(continuous, createdAtMs), createdAtMs + 6 * hourMs);
    assert.equal(nextSnapshotAtMs(continuous, createdAtMs + 6 * hourMs - 1), createdAtMs + 6 * hourMs);
    assert.equal(nextSnapshotAtMs(continuous, createdAtMs + 6 * hourMs), createdAtMs + 12 * hourMs);
    assert.equal(nextSnapshotAtMs({ ...continuous, items: [] }, createdAtMs), noSnapshotPlannedAtMs);
  });

  test("after a pause only the next slot counts, for any policy and any clock", () => {
    assert.equal(nextSnapshotAtMs(continuous, createdAtMs + 100 * hourMs), createdAtMs + 102 * hourMs);
    fc.assert(
      fc.property(anyPolicy, anyTimeMs, (policy, nowMs) => {
        const next = nextSnapshotAtMs(policy, nowMs);
        assert.ok(next > nowMs);
        assert.ok(itemsDue(policy, [], next, next).length > 0, "somebody wants it");
        assert.equal(nextSnapshotAtMs(policy, next - 1), next, "and nobody wanted one before");
      }),
    );
  });

  test("a plan that lies too far ahead, because the clock was set back, is made anew", () => {
    const nowMs = createdAtMs + 50 * hourMs;
    const inTime = createdAtMs + 54 * hourMs;
    const corrected = (plannedAtMs: number, atMs: number): number =>
      correctedNextSnapshotAtMs(continuous, createdAtMs, plannedAtMs, atMs);
    assert.equal(corrected(inTime, nowMs), inTime);
    assert.equal(corrected(createdAtMs, nowMs), createdAtMs, "overdue stays due");
    assert.equal(corrected(createdAtMs + 500 * hourMs, nowMs), inTime);
    assert.equal(corrected(noSnapshotPlannedAtMs, nowMs), inTime);
    const first = createdAtMs + 6 * hourMs;
    assert.equal(corrected(first, createdAtMs - 24 * hourMs), first, "before its creation it waits for the first");
  });

  test("what a snapshot is taken for: every item that had a slot since the plan", () => {
    const saturday = Date.UTC(2026, 0, 31, 9, 30);
    assert.deepEqual(names(dedicated, [], createdAtMs + 6 * hourMs, createdAtMs + 6 * hourMs), ["hourly"]);
    assert.deepEqual(names(dedicated, [], createdAtMs + dayMs, createdAtMs + dayMs + 3), ["hourly", "daily"]);
    assert.deepEqual(names(dedicated, [], saturday, saturday), ["hourly", "daily", "weekly", "monthly"]);
    const planned = Date.UTC(2026, 10, 26, 9, 30);
    const afterAPause = Date.UTC(2026, 11, 5, 9, 30) - 1;
    assert.deepEqual(
      names(dedicated, [], planned, afterAPause),
      ["hourly", "daily", "weekly", "monthly", "yearly"],
      "nothing that was missed while the process was down is lost",
    );
  });

  test("what is owed is due with the next, and a plan on no slot stands for the most frequent item", () => {
    const plannedAtMs = createdAtMs + 6 * hourMs;
    const monthly = dedicated.items[3]?.id ?? "";
    assert.deepEqual(names(dedicated, [monthly], plannedAtMs, plannedAtMs), ["hourly", "monthly"]);
    assert.deepEqual(names(dedicated, ["0".repeat(24)], plannedAtMs, plannedAtMs), ["hourly"], "not an item any more");
    assert.deepEqual(names(dedicated, [], plannedAtMs + 1, plannedAtMs + 1), ["hourly"]);
    assert.deepEqual(names({ ...dedicated, items: [] }, [], plannedAtMs, plannedAtMs), []);
  });

  test("a failure is tried again at the next slot, after 6 hours at the latest", () => {
    const nowMs = createdAtMs;
    assert.equal(retryAtMs(continuous, nowMs + hourMs, nowMs), nowMs + hourMs);
    assert.equal(retryAtMs(continuous, nowMs + 30 * dayMs, nowMs), nowMs + 6 * hourMs);
    const none = { ...continuous, items: [] };
    assert.equal(retryAtMs(none, noSnapshotPlannedAtMs, nowMs), noSnapshotPlannedAtMs);
  });

  test("over any pauses and jumps of the clock: every slot that went by is satisfied by the next snapshot", () => {
    const anyStepsMs = fc.array(fc.integer({ min: -40 * dayMs, max: 70 * dayMs }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(anyPolicy, anyTimeMs, anyStepsMs, (policy, startMs, stepsMs) => {
        let nowMs = startMs;
        let plannedAtMs = nextSnapshotAtMs(policy, nowMs);
        let latestRunMs = startMs;
        let setBack = false;
        for (const stepMs of stepsMs) {
          nowMs += stepMs;
          setBack ||= stepMs < 0;
          plannedAtMs = correctedNextSnapshotAtMs(policy, 0, plannedAtMs, nowMs);
          assert.ok(plannedAtMs <= nextSnapshotAtMs(policy, nowMs), "never waits longer than the policy says");
          if (plannedAtMs > nowMs) continue;
          const due = itemsDue(policy, [], plannedAtMs, nowMs);
          assert.ok(due.length > 0);
          for (const item of policy.items) {
            const slotMs = latestSlotAtMs(item, policy.referenceOfDayMs, nowMs);
            if (slotMs > latestRunMs && !setBack) assert.ok(due.includes(item), item.frequencyType);
          }
          latestRunMs = nowMs;
          setBack = false;
          plannedAtMs = nextSnapshotAtMs(policy, nowMs);
        }
      }),
    );
  });
});
