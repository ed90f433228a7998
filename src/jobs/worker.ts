import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { JobRecords, LeasedJob } from "../ports/metadata/job-records.ts";
import { reasonOf } from "./reason.ts";
import type { Task } from "./define-task.ts";

export interface WorkerOptions {
  readonly jobs: JobRecords;
  readonly tasks: readonly Task[];
  /** Tells this process from others that work on the same metadata. */
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Jobs at once. */
  readonly concurrency: number;
}

export interface JobWorker {
  start(): void;
  /** Takes no more jobs, waits so long for those in hand, then stops them; what was stopped is put back. */
  stop(graceMs: number): Promise<void>;
}

/** How long a lease lasts without being renewed. */
export const leaseMs = 30_000;
/** How often new jobs are looked for. */
const pollMs = 50;
/** Wait before the second attempt; doubled for each further one. */
const backoffMs = 1000;

/** Leases jobs and runs their tasks. */
export function createWorker(options: WorkerOptions): JobWorker {
  const { jobs, clock, log } = options;
  const tasks = new Map(options.tasks.map((task) => [task.kind, task]));
  const kinds = [...tasks.keys()];
  const stopping = new AbortController();
  const aborting = new AbortController();
  const inHand = new Set<Promise<void>>();
  let loop: Promise<void> = Promise.resolve();

  return {
    start() {
      loop = takeJobs();
    },
    async stop(graceMs) {
      stopping.abort(new Error("the server is shutting down"));
      await loop;
      await Promise.race([Promise.all(inHand), clock.sleep(graceMs)]);
      aborting.abort(new Error("the server is shutting down"));
      await Promise.all(inHand);
    },
  };

  async function takeJobs(): Promise<void> {
    while (!stopping.signal.aborted) {
      const job = inHand.size < options.concurrency ? await leaseNext() : undefined;
      if (job === undefined) {
        await clock.sleep(pollMs, stopping.signal).catch(() => undefined);
        continue;
      }
      const work = runJob(job).finally(() => inHand.delete(work));
      inHand.add(work);
    }
  }

  async function leaseNext(): Promise<LeasedJob | undefined> {
    try {
      return await jobs.lease(kinds, options.owner, clock.nowMs(), leaseMs);
    } catch (error) {
      log.error({ err: error }, "looking for work failed");
      return undefined;
    }
  }

  async function runJob(job: LeasedJob): Promise<void> {
    const task = tasks.get(job.kind) as Task;
    const lost = new AbortController();
    const signal = AbortSignal.any([aborting.signal, lost.signal]);
    const ended = new AbortController();
    const renewing = keepLease(job, lost, ended.signal);
    log.debug({ job: job.id, kind: job.kind, subject: job.subjectId, attempt: job.attempts }, "a job begins");
    try {
      await task.run(job, signal);
    } catch (error) {
      await afterFailure(job, task, error, lost.signal.aborted);
    } finally {
      ended.abort();
      await renewing;
    }
  }

  async function keepLease(job: LeasedJob, lost: AbortController, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await clock.sleep(leaseMs / 3, ended).catch(() => undefined);
      if (ended.aborted) return;
      const held = await jobs.renew(job, clock.nowMs(), leaseMs).catch(() => true);
      if (!held) lost.abort(new Error("the job was taken over by another worker"));
    }
  }

  async function afterFailure(job: LeasedJob, task: Task, error: unknown, leaseLost: boolean): Promise<void> {
    const reason = reasonOf(error);
    try {
      if (leaseLost) return;
      if (aborting.signal.aborted) {
        await jobs.postpone(job, clock.nowMs(), reason);
        return;
      }
      log.warn({ job: job.id, kind: job.kind, subject: job.subjectId, attempt: job.attempts, err: error }, "a job failed");
      if (job.attempts >= task.attemptsMax) await task.giveUp(job, reason);
      else await jobs.postpone(job, clock.nowMs() + backoffMs * 2 ** (job.attempts - 1), reason);
    } catch (second) {
      // The lease runs out, and the job is taken up again.
      log.error({ job: job.id, kind: job.kind, err: second }, "a failed job could not be put back");
    }
  }
}
