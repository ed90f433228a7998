import type { BackupPolicy, PolicyItem } from "../../ports/metadata/backup-policy.ts";
import { noSnapshotPlannedAtMs } from "../../ports/metadata/deployment-records.ts";
import { latestSlotAtMs, nextSlotAtMs, nextSlotOfPolicyAtMs } from "./policy-slots.ts";

/** A snapshot that failed is tried again at the next slot, and after so long at the latest. */
const retryMs = 6 * 3_600_000;

/**
 * The first slot after `nowMs`. Slots that were missed (the process was down, the clock jumped) are passed over, so that a pause never ends
 * in a pile of snapshots.
 */
export function nextSnapshotAtMs(policy: BackupPolicy, nowMs: number): number {
  return nextSlotOfPolicyAtMs(policy, nowMs) ?? noSnapshotPlannedAtMs;
}

/** The plan after a scheduled snapshot failed. */
export function retryAtMs(policy: BackupPolicy, plannedAtMs: number, nowMs: number): number {
  return policy.items.length === 0 ? plannedAtMs : Math.min(plannedAtMs, nowMs + retryMs);
}

/** The plan as it should be: one that lies further away than the next slot, because the clock was set back or the policy changed, is made anew. */
export function correctedNextSnapshotAtMs(
  policy: BackupPolicy,
  createdAtMs: number,
  plannedAtMs: number,
  nowMs: number,
): number {
  const furthestAtMs = nextSnapshotAtMs(policy, Math.max(nowMs, createdAtMs));
  return Math.min(plannedAtMs, furthestAtMs);
}

/**
 * What a snapshot planned for `plannedAtMs` and taken now is taken for: every item that had a slot since the plan, and those that are owed since a snapshot for them failed or
 * was still under way. A plan on no slot stands for the most frequent item. Empty for a policy without items.
 */
export function itemsDue(
  policy: BackupPolicy,
  owedItemIds: readonly string[],
  plannedAtMs: number,
  nowMs: number,
): readonly PolicyItem[] {
  const { items, referenceOfDayMs } = policy;
  const due = items.filter(
    (item) => owedItemIds.includes(item.id) || latestSlotAtMs(item, referenceOfDayMs, nowMs) >= plannedAtMs,
  );
  if (due.length > 0) return due;
  const next = (item: PolicyItem): number => nextSlotAtMs(item, referenceOfDayMs, nowMs);
  return items.toSorted((one, other) => next(one) - next(other)).slice(0, 1);
}
