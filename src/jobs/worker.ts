import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { JobRecords, LeasedJob } from "../ports/metadata/job-records.ts";
import type { Task } from "./define-task.ts";
import { reasonOf } from "./reason.ts";

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
  /**
   * Takes no more jobs, waits `graceMs` for those in hand, then stops them and puts them back. Resolves at the latest `abortMs` after that, whatever a task does: what it
   * does later is fenced off by its lease.
   */
  stop(graceMs: number): Promise<void>;
}

/** How long a lease lasts without being renewed; it is renewed every third of it. */
export const leaseMs = 30_000;
/** How often due jobs are looked for. */
export const pollMs = 50;
/** How often leases that ran out are looked for as well. */
const takeOverMs = leaseMs / 3;
/** Wait before the second attempt; doubled for each further one, up to the longest. */
const backoffMs = 1000;
const backoffMaxMs = 300_000;
/** What stopped jobs have to come to their end. */
export const abortMs = 1000;
/** Leases per allowed attempt: a job that takes the process down with it never fails, it only begins again. */
const leasesPerAttempt = 4;

/** Leases jobs and runs their tasks. */
export function createWorker(options: WorkerOptions): JobWorker {
  const { jobs, clock, log } = options;
  const tasks = new Map(options.tasks.map((task) => [task.kind, task]));
  const kinds = [...tasks.keys()];
  const stopping = new AbortController();
  const aborting = new AbortController();
  const inHand = new Set<Promise<void>>();
  let loop: Promise<void> = Promise.resolve();
  let takeOverAtMs = clock.monotonicMs();

  return {
    start() {
      loop = takeJobs();
    },
    async stop(graceMs) {
      stopping.abort(shuttingDown());
      await loop;
      await settled(graceMs);
      aborting.abort(shuttingDown());
      await settled(abortMs);
      if (inHand.size > 0)
        log.warn({ count: inHand.size }, "jobs did not stop in time; the next start takes them up again");
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

  /** Looking reads only; the writing step is taken when something is due, and now and then for leases that ran out. */
  async function leaseNext(): Promise<LeasedJob | undefined> {
    try {
      const nowMs = clock.nowMs();
      const dueMs = await jobs.nextDueMs(kinds);
      const takeOver = clock.monotonicMs() >= takeOverAtMs;
      if (!takeOver && (dueMs === undefined || dueMs > nowMs)) return undefined;
      const job = await jobs.lease(kinds, options.owner, nowMs, leaseMs);
      if (job === undefined) takeOverAtMs = clock.monotonicMs() + takeOverMs;
      return job;
    } catch (error) {
      log.error({ err: error }, "looking for work failed");
      return undefined;
    }
  }

  async function runJob(job: LeasedJob): Promise<void> {
    const task = tasks.get(job.kind) as Task;
    const lost = new AbortController();
    const ended = new AbortController();
    const renewing = keepLease(job, lost, ended.signal);
    log.debug({ job: job.id, kind: job.kind, subject: job.subjectId, attempt: job.attempts }, "a job begins");
    try {
      if (job.attempts > task.attemptsMax * leasesPerAttempt)
        await giveUp(job, task, `It was begun ${job.attempts - 1} times and never came to an end.`);
      else await task.run(job, AbortSignal.any([aborting.signal, lost.signal]));
    } catch (error) {
      if (!lost.signal.aborted) await afterFailure(job, task, error);
    } finally {
      ended.abort();
      await renewing;
    }
  }

  async function keepLease(job: LeasedJob, lost: AbortController, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await clock.sleep(leaseMs / 3, ended).catch(() => undefined);
      if (ended.aborted) return;
      // An error says nothing about the lease; it is asked again, and fenced in any case.
      const held = await jobs.renew(job, clock.nowMs(), leaseMs).catch(() => true);
      if (held) continue;
      lost.abort(new Error("the job was taken over by another worker"));
      return;
    }
  }

  async function afterFailure(job: LeasedJob, task: Task, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    try {
      if (aborting.signal.aborted) {
        await jobs.postpone(job, clock.nowMs(), reason);
        return;
      }
      log.warn({ job: job.id, kind: job.kind, subject: job.subjectId, attempt: job.attempts, reason }, "a job failed");
      if (job.attempts >= task.attemptsMax) await giveUp(job, task, reason);
      else
        await jobs.postpone(job, clock.nowMs() + Math.min(backoffMaxMs, backoffMs * 2 ** (job.attempts - 1)), reason);
    } catch (second) {
      // The lease runs out, and the job is taken up again.
      log.error({ job: job.id, kind: job.kind, err: second }, "a failed job could not be put back");
    }
  }

  async function giveUp(job: LeasedJob, task: Task, reason: string): Promise<void> {
    log.error(
      { job: job.id, kind: job.kind, subject: job.subjectId, attempt: job.attempts, reason },
      "a job is given up",
    );
    await task.giveUp(job, reason);
  }

  /** When nothing is in hand any more, at the latest after `timeoutMs`. */
  async function settled(timeoutMs: number): Promise<void> {
    if (inHand.size === 0) return;
    const done = new AbortController();
    await Promise.race([Promise.allSettled(inHand), clock.sleep(timeoutMs, done.signal).catch(() => undefined)]);
    done.abort();
  }
}

function shuttingDown(): Error {
  return new Error("The server is shutting down.");
}
