const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const minimumRetentionInDays = 1;
export const maximumRetentionInDays = 3650;

/**
 * How long a scheduled snapshot is kept from its completion (Atlas, serverless backups). Basic: 12 hours, which at one every 6 hours are the
 * two newest. Continuous: 72 hours, and the daily one 35 days.
 */
export function scheduledRetentionMs(continuousBackupEnabled: boolean, frequencyType: "hourly" | "daily"): number {
  if (!continuousBackupEnabled) return 12 * hourMs;
  return frequencyType === "daily" ? 35 * dayMs : 72 * hourMs;
}

/** Whether a snapshot on demand can be kept that long: whole days, 1 to 3650. */
export function isRetentionInDays(days: number): boolean {
  return Number.isInteger(days) && days >= minimumRetentionInDays && days <= maximumRetentionInDays;
}

export function onDemandRetentionMs(retentionInDays: number): number {
  return retentionInDays * dayMs;
}

/** Counted from the request while the snapshot is under way, from its completion when it is completed. */
export function expiresAtMs(fromMs: number, retentionMs: number): number {
  return fromMs + retentionMs;
}
