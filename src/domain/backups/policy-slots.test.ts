import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { anyItem, anyPolicy, anyTimeMs } from "../../../test/support/policies.ts";
import type { PolicyItem } from "../../ports/metadata/backup-policy.ts";
import { lastDayOfMonth, latestSlotAtMs, nextSlotAtMs, nextSlotOfPolicyAtMs } from "./policy-slots.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nineThirtyMs = 9.5 * hourMs;

const item = (frequencyType: PolicyItem["frequencyType"], frequencyInterval: number): PolicyItem => ({
  id: "0".repeat(24),
  frequencyType,
  frequencyInterval,
  retentionUnit: "days",
  retentionValue: 1,
});
const at = (text: string): number => Date.parse(`${text}Z`);
const next = (one: PolicyItem, from: string): string =>
  new Date(nextSlotAtMs(one, nineThirtyMs, at(from))).toISOString().slice(0, 16);

/** Said once more in other words: by the fields of a date instead of by counting days. */
function isSlot({ frequencyType, frequencyInterval }: PolicyItem, referenceOfDayMs: number, atMs: number): boolean {
  const sinceReferenceMs = (((atMs - referenceOfDayMs) % dayMs) + dayMs) % dayMs;
  if (frequencyType === "hourly") return sinceReferenceMs % (frequencyInterval * hourMs) === 0;
  const date = new Date(atMs);
  const isLastDay = new Date(atMs + dayMs).getUTCMonth() !== date.getUTCMonth();
  if (sinceReferenceMs !== 0) return false;
  switch (frequencyType) {
    case "daily":
      return true;
    case "weekly":
      return (date.getUTCDay() || 7) === frequencyInterval;
    case "monthly":
      return frequencyInterval === lastDayOfMonth ? isLastDay : date.getUTCDate() === frequencyInterval;
    default:
      return date.getUTCMonth() + 1 === frequencyInterval && date.getUTCDate() === 1;
  }
}

describe("slots of a policy item", () => {
  test("hourly ones count from the reference time, through midnight", () => {
    assert.equal(next(item("hourly", 6), "2026-03-01T09:29:59"), "2026-03-01T09:30");
    assert.equal(next(item("hourly", 6), "2026-03-01T09:30:00"), "2026-03-01T15:30");
    assert.equal(next(item("hourly", 6), "2026-03-01T21:30:00"), "2026-03-02T03:30");
  });

  test("weeks have Monday as 1 and Sunday as 7; 6 is Saturday, as Atlas's default has it", () => {
    assert.equal(next(item("weekly", 1), "2026-11-25T12:00:00"), "2026-11-30T09:30");
    assert.equal(next(item("weekly", 6), "2026-11-25T12:00:00"), "2026-11-28T09:30");
    assert.equal(next(item("weekly", 7), "2026-11-25T12:00:00"), "2026-11-29T09:30");
    assert.equal(next(item("weekly", 3), "2026-11-25T09:29:59"), "2026-11-25T09:30", "today, before its time");
    assert.equal(next(item("weekly", 3), "2026-11-25T09:30:00"), "2026-12-02T09:30", "today, at its time");
  });

  test("40 is the last day of every month, of leap years and of centuries too", () => {
    const last = item("monthly", lastDayOfMonth);
    assert.equal(next(last, "2026-01-31T09:30:00"), "2026-02-28T09:30");
    assert.equal(next(last, "2028-01-31T09:30:00"), "2028-02-29T09:30");
    assert.equal(next(last, "2000-02-01T00:00:00"), "2000-02-29T09:30");
    assert.equal(next(last, "2100-02-01T00:00:00"), "2100-02-28T09:30");
    assert.equal(next(last, "2026-04-30T09:29:59"), "2026-04-30T09:30");
    assert.equal(next(last, "2026-12-31T09:30:00"), "2027-01-31T09:30");
  });

  test("yearly ones are on the first day of their month", () => {
    assert.equal(next(item("yearly", 12), "2026-12-01T09:29:59"), "2026-12-01T09:30");
    assert.equal(next(item("yearly", 12), "2026-12-01T09:30:00"), "2027-12-01T09:30");
    assert.equal(next(item("yearly", 1), "2026-12-01T09:30:00"), "2027-01-01T09:30");
  });

  test("for any item, reference and time: the latest slot is not after it, the next one is, both are slots, and none lies between", () => {
    fc.assert(
      fc.property(anyItem, fc.integer({ min: 0, max: dayMs - 1 }), anyTimeMs, (one, referenceOfDayMs, atMs) => {
        const latest = latestSlotAtMs(one, referenceOfDayMs, atMs);
        const following = nextSlotAtMs(one, referenceOfDayMs, atMs);
        assert.ok(latest <= atMs && atMs < following);
        assert.ok(isSlot(one, referenceOfDayMs, latest) && isSlot(one, referenceOfDayMs, following));
        const stepMs = one.frequencyType === "hourly" ? hourMs : dayMs;
        for (let between = latest + stepMs; between < following; between += stepMs)
          assert.ok(!isSlot(one, referenceOfDayMs, between), new Date(between).toISOString());
      }),
      { numRuns: 500 },
    );
  });

  test("a policy's next slot is the first of any of its items, and a policy without items has none", () => {
    fc.assert(
      fc.property(anyPolicy, anyTimeMs, (policy, atMs) => {
        const found = nextSlotOfPolicyAtMs(policy, atMs) ?? 0;
        assert.ok(found > atMs);
        assert.ok(policy.items.some((one) => isSlot(one, policy.referenceOfDayMs, found)));
        for (const one of policy.items) assert.ok(latestSlotAtMs(one, policy.referenceOfDayMs, found - 1) <= atMs);
        assert.equal(nextSlotOfPolicyAtMs({ ...policy, items: [] }, atMs), undefined);
      }),
    );
  });
});
