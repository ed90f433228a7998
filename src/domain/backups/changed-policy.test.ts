import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errorOf } from "../../../test/support/domain-world.ts";
import { deployment, idOf } from "../../../test/support/records.ts";
import type { PolicyItem } from "../../ports/metadata/backup-policy.ts";
import {
  changedPolicy,
  drillEveryDaysMax,
  itemsMax,
  keepNewestMax,
  type PolicyChanges,
  referenceOf,
} from "./changed-policy.ts";
import { presetPolicy } from "./policy.ts";

const createdAtMs = Date.UTC(2026, 0, 1, 9, 30, 15, 7);
const before = presetPolicy("DEDICATED", deployment({ createdAtMs }));
const newId = (): string => idOf(0xabc);
const change = (changes: PolicyChanges) => changedPolicy(before, changes, newId);
const refused = (changes: PolicyChanges, code: string, message?: string): void =>
  assert.throws(() => change(changes), errorOf("invalid", code, message));
const item = (changes: Partial<PolicyItem>): Omit<PolicyItem, "id"> => ({
  frequencyType: "daily",
  frequencyInterval: 1,
  retentionUnit: "days",
  retentionValue: 1,
  ...changes,
});

describe("changes of a policy", () => {
  test("what is left out stays; of items all are given, known by their id or new", () => {
    assert.deepEqual(change({}), before);
    assert.deepEqual(change({ keepNewest: 7 }), { ...before, keepNewest: 7 });
    const [hourly] = before.items;
    assert.ok(hourly);
    const items = change({ items: [{ ...hourly, retentionValue: 9 }, item({})] }).items;
    assert.deepEqual(items, [
      { ...hourly, retentionValue: 9 },
      { ...item({}), id: idOf(0xabc) },
    ]);
  });

  test("ids that are not the policy's, an item twice, and another frequency under the same id are refused", () => {
    const [hourly] = before.items;
    assert.ok(hourly);
    assert.deepEqual(change({ policyId: before.id }), before);
    refused({ policyId: idOf(9) }, "INVALID_POLICY_ID");
    refused({ items: [{ ...hourly, id: idOf(9) }] }, "INVALID_POLICY_ITEM_ID");
    refused({ items: [hourly, hourly] }, "INVALID_POLICY_ITEM_ID");
    refused({ items: [{ ...item({}), id: hourly.id }] }, "INVALID_FREQUENCY_TYPE_CHANGE");
    refused({ items: [] }, "INVALID_NUM_OF_POLICY_ITEMS");
  });

  test("intervals at, below and above what each frequency has", () => {
    const right = { hourly: [1, 2, 4, 6, 8, 12], daily: [1], weekly: [1, 7], monthly: [1, 28, 40], yearly: [1, 12] };
    const wrong = {
      hourly: [0, 3, 5, 24],
      daily: [0, 2],
      weekly: [0, 8],
      monthly: [0, 29, 31, 39, 41],
      yearly: [0, 13],
    };
    for (const frequencyType of ["hourly", "daily", "weekly", "monthly", "yearly"] as const) {
      for (const frequencyInterval of right[frequencyType])
        assert.equal(change({ items: [item({ frequencyType, frequencyInterval })] }).items.length, 1);
      for (const frequencyInterval of wrong[frequencyType])
        refused({ items: [item({ frequencyType, frequencyInterval })] }, "INVALID_BACKUP_POLICY");
    }
  });

  test("retention from one unit to a hundred years", () => {
    for (const changes of [
      { retentionValue: 1, retentionUnit: "hours" },
      { retentionValue: 100, retentionUnit: "years" },
    ] as const)
      assert.equal(change({ items: [item(changes)] }).items.length, 1);
    for (const changes of [
      { retentionValue: 0 },
      { retentionValue: 1.5 },
      { retentionValue: 101, retentionUnit: "years" },
      { retentionValue: 2 ** 31 },
    ] as const)
      refused({ items: [item(changes)] }, "INVALID_BACKUP_POLICY");
  });

  test("the reference time: each part alone, its seconds kept while nothing moves, its bounds", () => {
    assert.deepEqual(referenceOf(before.referenceOfDayMs), { hourOfDay: 9, minuteOfHour: 30 });
    assert.equal(
      change({ referenceHourOfDay: 9, referenceMinuteOfHour: 30 }).referenceOfDayMs,
      before.referenceOfDayMs,
    );
    assert.equal(change({ referenceHourOfDay: 0 }).referenceOfDayMs, 30 * 60_000);
    assert.equal(change({ referenceMinuteOfHour: 59 }).referenceOfDayMs, (9 * 60 + 59) * 60_000);
    assert.equal(change({ referenceHourOfDay: 23, referenceMinuteOfHour: 0 }).referenceOfDayMs, 23 * 3_600_000);
    for (const hour of [-1, 24, 1.5]) refused({ referenceHourOfDay: hour }, "INVALID_REFERENCE_HOUR_OF_DAY");
    for (const minute of [-1, 60]) refused({ referenceMinuteOfHour: minute }, "INVALID_REFERENCE_MINUTE_OF_HOUR");
  });

  test("numbers at, below and above their limits", () => {
    assert.equal(change({ restoreWindowDays: 1 }).restoreWindowDays, 1);
    refused({ restoreWindowDays: 0 }, "INVALID_RESTORE_WINDOW");
    for (const keepNewest of [1, keepNewestMax]) assert.equal(change({ keepNewest }).keepNewest, keepNewest);
    for (const keepNewest of [0, keepNewestMax + 1]) refused({ keepNewest }, "INVALID_BACKUP_POLICY");
    for (const drillEveryDays of [0, drillEveryDaysMax])
      assert.equal(change({ drillEveryDays }).drillEveryDays, drillEveryDays);
    for (const drillEveryDays of [-1, drillEveryDaysMax + 1]) refused({ drillEveryDays }, "INVALID_BACKUP_POLICY");
    const many = (count: number) => Array.from({ length: count }, () => item({}));
    assert.equal(change({ items: many(itemsMax) }).items.length, itemsMax);
    refused(
      { items: many(itemsMax + 1) },
      "INVALID_BACKUP_POLICY",
      `Invalid Backup Policy: a policy has at most ${itemsMax} items.`,
    );
    const extra = { frequencyType: "daily", retentionDays: 1 } as const;
    assert.deepEqual(change({ extraRetention: [extra] }).extraRetention, [extra]);
    refused({ extraRetention: [{ ...extra, retentionDays: 0 }] }, "INVALID_BACKUP_POLICY");
    refused({ extraRetention: [extra, extra] }, "INVALID_BACKUP_POLICY");
  });
});
