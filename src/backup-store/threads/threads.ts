import { availableParallelism } from "node:os";
import { type JobAnswer, type JobName, type JobRequest, jobs, type LentBytes, memoryOf } from "./jobs.ts";
import { Thread, type WaitingJob } from "./thread.ts";

/** Threads at most: as many as the machine runs at once, and few enough that other work finds room. */
export const threadsMax = Math.min(4, Math.max(1, availableParallelism()));
/** Jobs a thread has at once, so that the next is there when one ends. */
const jobsPerThread = 2;
/** Bytes below which a job is done here: the way to another thread and back costs about as much as hashing so many. */
const apartFromBytes = 65_536;
/** Jobs that take so little of the time in which a thread begins that they are done here until one has. */
const quickJobs: ReadonlySet<JobName> = new Set<JobName>(["identify"]);
/** How long threads are kept for the next job. */
const idleMs = 5000;

/**
 * Worker threads for what the backup store computes: hashing, compressing, sealing, opening. They are made when there is work and end when there has been none for a while; like the
 * threads that Node itself keeps, they belong to the process and serve every store in it.
 */
class Threads {
  readonly #threads = new Set<Thread>();
  readonly #queue: WaitingJob[] = [];
  #resting: NodeJS.Timeout | undefined;

  /** Does a job, apart when `sizeBytes` make that worth it. `memory` is lent: what lies there must not be used until the answer has it, if it has it. */
  async run<Name extends JobName>(
    name: Name,
    request: JobRequest<Name>,
    sizeBytes: number,
    memory: readonly LentBytes[],
  ): Promise<JobAnswer<Name>> {
    if (sizeBytes < apartFromBytes || (quickJobs.has(name) && !this.#hasBegun()))
      return jobs[name](request as never) as JobAnswer<Name>;
    const answer = await new Promise<JobAnswer<JobName>>((resolve, reject) => {
      this.#queue.push({ name, request, memory: memoryOf(memory), resolve, reject });
      this.#handOut();
    });
    return answer as JobAnswer<Name>;
  }

  /** Whether a thread runs; has one begin. */
  #hasBegun(): boolean {
    if (this.#threads.size === 0) this.#begin();
    for (const thread of this.#threads) if (thread.hasBegun) return true;
    return false;
  }

  #handOut(): void {
    while (this.#queue.length > 0) {
      const thread = this.#freest();
      if (thread === undefined) return;
      thread.do(this.#queue.shift() as WaitingJob);
    }
    this.#rest();
  }

  /** The thread with the fewest jobs; a new one while all have some and there may be more. */
  #freest(): Thread | undefined {
    let freest: Thread | undefined;
    for (const thread of this.#threads)
      if (freest === undefined || thread.waitingCount < freest.waitingCount) freest = thread;
    if (freest?.waitingCount === 0) return freest;
    if (this.#threads.size < threadsMax) return this.#begin();
    return freest !== undefined && freest.waitingCount < jobsPerThread ? freest : undefined;
  }

  #begin(): Thread {
    const thread = new Thread(
      () => this.#handOut(),
      (dead) => {
        this.#threads.delete(dead);
        this.#handOut();
      },
    );
    this.#threads.add(thread);
    return thread;
  }

  #rest(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      for (const thread of this.#threads) {
        if (thread.waitingCount > 0) continue;
        this.#threads.delete(thread);
        void thread.end();
      }
    }, idleMs).unref();
  }
}

export const storeThreads = new Threads();
