import type { JobKind, LeasedJob } from "../ports/metadata/job-records.ts";

/** Work of one kind. It may run twice: what it brings about becomes true only in a transaction that checks the lease, which also finishes the job. */
export interface Task {
  readonly kind: JobKind;
  /** Runs that may fail before it is given up. */
  readonly attemptsMax: number;
  /** Does the work and finishes the job. `signal` aborts when the lease is lost or the process ends. A throw means: again later. */
  run(job: LeasedJob, signal: AbortSignal): Promise<void>;
  /** The last attempt failed: makes the failure known, and finishes the job. `reason` is one sentence for people. */
  giveUp(job: LeasedJob, reason: string): Promise<void>;
}

/** Declares a task; the file is named like its kind. */
export function defineTask(task: Task): Task {
  return task;
}
