const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Serverless instances are backed up every 6 hours (Atlas, serverless backups), counted from their creation. */
export const snapshotIntervalMs = 6 * hourMs;

/**
 * The first slot after `nowMs`. Slots that were missed (the process was down, the clock jumped) are passed over, so that a pause never ends
 * in a pile of snapshots.
 */
export function nextSnapshotAtMs(createdAtMs: number, nowMs: number): number {
  const slot = Math.floor((nowMs - createdAtMs) / snapshotIntervalMs) + 1;
  return createdAtMs + Math.max(1, slot) * snapshotIntervalMs;
}

/** The first scheduled snapshot of each UTC day is the daily one; `latestDailyAtMs` is that of the newest which has not failed. */
export function scheduledFrequency(latestDailyAtMs: number | undefined, nowMs: number): "hourly" | "daily" {
  if (latestDailyAtMs === undefined) return "daily";
  return Math.floor(latestDailyAtMs / dayMs) === Math.floor(nowMs / dayMs) ? "hourly" : "daily";
}

/** The plan as it should be: one that lies further away than an interval, because the clock was set back, is made anew. */
export function correctedNextSnapshotAtMs(createdAtMs: number, plannedAtMs: number, nowMs: number): number {
  const furthestAtMs = Math.max(nowMs, createdAtMs) + snapshotIntervalMs;
  return plannedAtMs <= furthestAtMs ? plannedAtMs : nextSnapshotAtMs(createdAtMs, nowMs);
}
