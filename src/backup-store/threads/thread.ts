import { Worker } from "node:worker_threads";
import type { JobAnswer, JobName, JobRequest } from "./jobs.ts";

/** A job on its way to a thread. */
export interface JobMessage<Name extends JobName = JobName> {
  readonly number: number;
  readonly name: Name;
  readonly request: JobRequest<Name>;
}

/** What came of it. */
export interface JobResult {
  readonly number: number;
  readonly answer?: JobAnswer<JobName>;
  readonly error?: unknown;
}

/** A job that waits for its turn or its answer. */
export interface WaitingJob {
  readonly name: JobName;
  readonly request: JobRequest<JobName>;
  /** Memory that goes with the request. */
  readonly memory: readonly ArrayBuffer[];
  readonly resolve: (answer: JobAnswer<JobName>) => void;
  readonly reject: (error: unknown) => void;
}

/** Sizes of the parts of a thread's heap in MiB: what it works on lies outside of it. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

/** One worker thread that does jobs in the order it gets them. It keeps the process alive only while it has one. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, WaitingJob>();
  readonly #answered: () => void;
  #nextNumber = 0;
  #hasBegun = false;

  /** `answered` is called after each job; `died` when the thread is no more, its jobs having been rejected. */
  constructor(answered: () => void, died: (thread: Thread) => void) {
    this.#answered = answered;
    this.#worker = new Worker(new URL("./store-thread.js", import.meta.url), {
      name: "telamon-store",
      resourceLimits,
    });
    this.#worker.unref();
    this.#worker.on("online", () => (this.#hasBegun = true));
    this.#worker.on("message", (result: JobResult) => this.#settle(result));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => {
      this.#fail(new Error(`a thread of the backup store ended with ${code}`));
      died(this);
    });
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Whether it runs; until then what it is given waits for some tens of milliseconds. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  do(job: WaitingJob): void {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    if (this.#waiting.size === 0) this.#worker.ref();
    this.#waiting.set(number, job);
    const { name, request, memory } = job;
    this.#worker.postMessage({ number, name, request } satisfies JobMessage, memory);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle({ number, answer, error }: JobResult): void {
    const job = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (answer === undefined) job?.reject(error);
    else job?.resolve(answer);
    this.#answered();
  }

  #fail(error: unknown): void {
    const jobs = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of jobs) reject(error);
  }
}
