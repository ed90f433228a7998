export type Frequency = "hourly" | "daily" | "weekly" | "monthly" | "yearly";
export type RetentionUnit = "hours" | "days" | "weeks" | "months" | "years";

/** One reason to take a snapshot, and how long one taken for it is kept. */
export interface PolicyItem {
  /** 24 hex digits. */
  readonly id: string;
  readonly frequencyType: Frequency;
  /**
   * Hourly: every so many hours (1, 2, 4, 6, 8, 12). Daily: 1. Weekly: the day, 1 (Monday) to 7. Monthly: the day, 1 to 28, or 40, the last one. Yearly: the month, 1 to 12,
   * on its first day.
   */
  readonly frequencyInterval: number;
  readonly retentionUnit: RetentionUnit;
  readonly retentionValue: number;
}

/** Days that snapshots of a frequency are kept beyond what their item says. */
export interface ExtraRetention {
  readonly frequencyType: Frequency | "ondemand";
  readonly retentionDays: number;
}

/** When a deployment's snapshots are taken and how long they are kept. All times are UTC. */
export interface BackupPolicy {
  /** 24 hex digits. */
  readonly id: string;
  readonly items: readonly PolicyItem[];
  /** Time of day from which every item counts, in milliseconds after midnight. */
  readonly referenceOfDayMs: number;
  readonly restoreWindowDays: number;
  readonly extraRetention: readonly ExtraRetention[];
  /** So many newest scheduled snapshots are kept whatever their age; at least 1. */
  readonly keepNewest: number;
  /** A snapshot of the deployment is restored on trial when none was for so many days; 0: never by schedule. */
  readonly drillEveryDays: number;
}
