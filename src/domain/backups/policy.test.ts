import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deployment } from "../../../test/support/records.ts";
import { policyOf, presetPolicy, type PresetName } from "./policy.ts";

const shown = (name: PresetName): readonly string[] =>
  presetPolicy(name, deployment()).items.map(
    ({ frequencyType, frequencyInterval, retentionValue, retentionUnit }) =>
      `${frequencyType} ${frequencyInterval}: ${retentionValue} ${retentionUnit}`,
  );

describe("policies", () => {
  test("those of Atlas's kinds of deployment", () => {
    assert.deepEqual(shown("SERVERLESS_BASIC"), ["hourly 6: 12 hours"]);
    assert.deepEqual(shown("SERVERLESS_CONTINUOUS"), ["hourly 6: 3 days", "daily 1: 35 days"]);
    assert.deepEqual(shown("FLEX"), ["daily 1: 8 days"]);
    assert.deepEqual(shown("DEDICATED"), [
      "hourly 6: 7 days",
      "daily 1: 7 days",
      "weekly 6: 4 weeks",
      "monthly 40: 12 months",
      "yearly 12: 1 years",
    ]);
    assert.equal(presetPolicy("SERVERLESS_BASIC", deployment()).keepNewest, 2, "the two newest, whatever their age");
  });

  test("a serverless instance has that of its backup options, counted from its creation, unless it has its own", () => {
    const createdAtMs = Date.UTC(2026, 4, 3, 21, 40, 12, 345);
    const basic = deployment({ createdAtMs, continuousBackupEnabled: false });
    assert.deepEqual(policyOf(basic), presetPolicy("SERVERLESS_BASIC", basic));
    assert.equal(policyOf(basic).referenceOfDayMs, createdAtMs - Date.UTC(2026, 4, 3));
    assert.equal(policyOf({ ...basic, continuousBackupEnabled: true }).items.length, 2);
    const own = presetPolicy("FLEX", basic);
    assert.deepEqual(policyOf({ ...basic, backupPolicy: own }), own);
  });

  test("ids of a policy and its items are 24 hex digits, all different, and the same every time", () => {
    const last = deployment({ id: "65a0f0000000000000ffffff" });
    const { id, items } = presetPolicy("DEDICATED", last);
    const ids = [id, ...items.map((item) => item.id)];
    assert.equal(new Set([...ids, last.id]).size, 7);
    for (const one of ids) assert.match(one, /^[a-f0-9]{24}$/);
    assert.deepEqual(presetPolicy("DEDICATED", last), presetPolicy("DEDICATED", last));
  });
});
