/** Work to be done once, by whoever leases it first. */
export type JobKind =
  | "provision"
  | "deprovision"
  | "takeSnapshot"
  | "restore"
  | "collectGarbage"
  | "scrub"
  | "drill"
  | "catalogueSnapshots"
  | "collectGarbageOnDemand"
  | "renewLocks";

export interface JobRecord {
  readonly id: string;
  readonly kind: JobKind;
  /** What it is about: a deployment, a snapshot or a restore job. */
  readonly subjectId: string;
  /** Jobs of one key run one after the other, oldest first; a deployment's id as a rule. */
  readonly exclusiveKey: string;
  readonly runAtMs: number;
  /** Times it was leased. */
  readonly attempts: number;
}

/** A job in somebody's hands. The token goes up with every lease: who holds an older one has lost the job. */
export interface LeasedJob extends JobRecord {
  readonly leaseToken: number;
}

export interface JobRecords {
  insert(job: Omit<JobRecord, "attempts">): Promise<void>;
  /**
   * Leases the oldest due job of the given kinds whose exclusive key nobody holds and no older unfinished job has; also takes over a lease that ran out.
   */
  lease(kinds: readonly JobKind[], owner: string, nowMs: number, leaseMs: number): Promise<LeasedJob | undefined>;
  /** False when the job is no longer this token's. */
  renew(job: LeasedJob, nowMs: number, leaseMs: number): Promise<boolean>;
  /** Whether the job is still this token's; asked inside the transaction that makes its result true (fencing). */
  holds(job: LeasedJob): Promise<boolean>;
  /** Removes it. False, and nothing happens, when it is no longer this token's. */
  finish(job: LeasedJob): Promise<boolean>;
  /** Puts it back for `runAtMs`. False when it is no longer this token's. */
  postpone(job: LeasedJob, runAtMs: number, reason: string): Promise<boolean>;
  /** Frees every lease; for a start where no other process can hold one. */
  releaseAll(): Promise<number>;
  /** When the next unleased job is due. */
  nextDueMs(kinds: readonly JobKind[]): Promise<number | undefined>;
  unfinishedFor(subjectId: string): Promise<boolean>;
  /** Whether one of the kind is unfinished. */
  unfinishedOf(kind: JobKind): Promise<boolean>;
}
