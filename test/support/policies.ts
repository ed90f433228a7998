import * as fc from "fast-check";
import type { BackupPolicy, PolicyItem } from "../../src/ports/metadata/backup-policy.ts";
import { idOf } from "./records.ts";

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

const anyFrequency: fc.Arbitrary<Pick<PolicyItem, "frequencyType" | "frequencyInterval">> = fc.oneof(
  fc.record({ frequencyType: fc.constant("hourly" as const), frequencyInterval: fc.constantFrom(1, 2, 4, 6, 8, 12) }),
  fc.record({ frequencyType: fc.constant("daily" as const), frequencyInterval: fc.constant(1) }),
  fc.record({ frequencyType: fc.constant("weekly" as const), frequencyInterval: between(1, 7) }),
  fc.record({
    frequencyType: fc.constant("monthly" as const),
    frequencyInterval: fc.oneof(between(1, 28), fc.constant(40)),
  }),
  fc.record({ frequencyType: fc.constant("yearly" as const), frequencyInterval: between(1, 12) }),
);

/** Any item that a policy may have. */
export const anyItem: fc.Arbitrary<PolicyItem> = fc
  .tuple(
    anyFrequency,
    fc.record({
      id: between(1, 1_000_000).map(idOf),
      retentionUnit: fc.constantFrom(
        "hours" as const,
        "days" as const,
        "weeks" as const,
        "months" as const,
        "years" as const,
      ),
      retentionValue: between(1, 20),
    }),
  )
  .map(([frequency, rest]) => ({ ...frequency, ...rest }));

/** Any policy with at least one item. */
export const anyPolicy: fc.Arbitrary<BackupPolicy> = fc.record({
  id: fc.constant(idOf(0x99)),
  items: fc.uniqueArray(anyItem, { minLength: 1, maxLength: 6, selector: ({ id }) => id }),
  referenceOfDayMs: between(0, 86_399_999),
  restoreWindowDays: between(1, 35),
  extraRetention: fc.uniqueArray(
    fc.record({
      frequencyType: fc.constantFrom("hourly" as const, "daily" as const, "monthly" as const, "ondemand" as const),
      retentionDays: between(1, 30),
    }),
    { maxLength: 2, selector: ({ frequencyType }) => frequencyType },
  ),
  keepNewest: between(1, 5),
  drillEveryDays: between(0, 30),
});

/** From 1972 to 2104: leap years, a century that is one and one that is none. */
export const anyTimeMs = between(Date.UTC(1972, 0, 1), Date.UTC(2104, 0, 1));
