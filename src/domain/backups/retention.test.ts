import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { anyPolicy, anyTimeMs } from "../../../test/support/policies.ts";
import { deployment } from "../../../test/support/records.ts";
import { presetPolicy } from "./policy.ts";
import { addDuration, expiresAtMs, isRetentionInDays, onDemandRetentionMs, scheduledRetention } from "./retention.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const after = (text: string, ...duration: [Parameters<typeof addDuration>[1], number]): string =>
  new Date(addDuration(Date.parse(`${text}Z`), ...duration)).toISOString().slice(0, 19);

describe("retention", () => {
  test("months are those of the calendar, cut at the end of a shorter one, at the same time of day", () => {
    assert.equal(after("2026-01-31T10:00:01", "months", 1), "2026-02-28T10:00:01");
    assert.equal(after("2028-01-31T10:00:01", "months", 1), "2028-02-29T10:00:01");
    assert.equal(after("2026-12-31T23:59:59", "months", 2), "2027-02-28T23:59:59");
    assert.equal(after("2026-03-30T00:00:00", "months", 12), "2027-03-30T00:00:00");
    assert.equal(after("2028-02-29T06:00:00", "years", 1), "2029-02-28T06:00:00");
    assert.equal(after("2096-02-29T06:00:00", "years", 4), "2100-02-28T06:00:00");
  });

  test("hours, days and weeks are as long as they always are", () => {
    assert.equal(after("2026-02-28T10:00:00", "hours", 14), "2026-03-01T00:00:00");
    assert.equal(after("2028-02-28T10:00:00", "days", 2), "2028-03-01T10:00:00");
    assert.equal(after("2026-12-30T10:00:00", "weeks", 1), "2027-01-06T10:00:00");
  });

  test("of several items the longest retention counts and names the snapshot; among equals the rarest does", () => {
    const policy = presetPolicy("DEDICATED", deployment());
    const [hourly, daily, weekly, , yearly] = policy.items;
    assert.ok(hourly && daily && weekly && yearly);
    const fromMs = Date.UTC(2026, 10, 28);
    const named = (...items: (typeof hourly)[]): string => {
      const { frequencyType, retentionMs } = scheduledRetention(policy, items, fromMs);
      return `${frequencyType} ${retentionMs / dayMs}`;
    };
    assert.equal(named(hourly), "hourly 7");
    assert.equal(named(hourly, daily), "daily 7");
    assert.equal(named(daily, hourly), "daily 7");
    assert.equal(named(hourly, daily, weekly), "weekly 28");
    assert.equal(named(yearly, weekly), "yearly 365");
    assert.equal(named(weekly, { ...hourly, retentionValue: 29 }), "hourly 29", "what is kept longest, however often");
  });

  test("extra retention is added to its own frequency alone", () => {
    const policy = {
      ...presetPolicy("DEDICATED", deployment()),
      extraRetention: [{ frequencyType: "daily", retentionDays: 30 } as const],
    };
    const [hourly, daily, weekly] = policy.items;
    assert.ok(hourly && daily && weekly);
    assert.equal(scheduledRetention(policy, [hourly], 0).retentionMs, 7 * dayMs);
    assert.equal(scheduledRetention(policy, [hourly, daily, weekly], 0).retentionMs, 37 * dayMs);
  });

  test("for any policy and any of its items: never shorter than any item alone, and as long as one of them", () => {
    fc.assert(
      fc.property(anyPolicy, anyTimeMs, fc.nat(), (policy, fromMs, first) => {
        const items = policy.items.slice(first % policy.items.length);
        const all = scheduledRetention(policy, items, fromMs);
        const each = items.map((item) => scheduledRetention(policy, [item], fromMs).retentionMs);
        assert.equal(all.retentionMs, Math.max(...each));
        assert.ok(all.retentionMs >= hourMs);
        assert.deepEqual([all.policyItemIds, all.newestKept], [items.map(({ id }) => id), policy.keepNewest]);
      }),
    );
  });

  test("on demand: whole days from 1 to 3650", () => {
    for (const days of [1, 2, 3650]) assert.equal(isRetentionInDays(days), true, String(days));
    for (const days of [0, -1, 1.5, 3651, Number.NaN, Infinity])
      assert.equal(isRetentionInDays(days), false, String(days));
    assert.equal(expiresAtMs(1000, onDemandRetentionMs(2)), 1000 + 48 * hourMs);
  });
});
