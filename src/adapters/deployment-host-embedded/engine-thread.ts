import { Worker } from "node:worker_threads";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import type { Caller, HostCalls, WorkerSettings } from "./protocol.ts";

export interface EngineThreadOptions {
  readonly workerUrl: URL;
  readonly settings: WorkerSettings;
  readonly answer: PeerOptions["answer"];
  /** The thread has died, and everything it served with it. The next call makes another. */
  readonly onDeath: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** Wait before a thread that died is made anew; doubled each time, up to the longest, and forgotten when one lives long enough. */
const backoffMs = 50;
const backoffMaxMs = 10_000;
const longLifeMs = 60_000;

interface Running {
  readonly thread: Worker;
  readonly peer: Peer;
  readonly sinceMs: number;
  /** Whether anything was asked of it; otherwise it is a spare one. */
  used: boolean;
}

/** One worker thread, made at the first call and made again after it died or was let go. Calls that were under way at its death are rejected. */
export class EngineThread {
  readonly #options: EngineThreadOptions;
  #running: Running | undefined;
  #pausing: Promise<void> | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: EngineThreadOptions) {
    this.#options = options;
  }

  /** Whether there is a thread that serves, or may serve, anything: not a spare one. */
  get used(): boolean {
    return this.#running?.used === true;
  }

  readonly call: Caller<HostCalls> = async (name, argument) => {
    await this.#pausing;
    const running = this.#run();
    running.used = true;
    return (await running.peer.call(name, argument)) as never;
  };

  /** Resolves once a thread is there that answers. */
  async ready(): Promise<void> {
    await this.call("ping", {});
  }

  /** Makes a spare thread, if there is none at all: it holds nothing, and whoever calls next need not wait until it is there. */
  async keepSpare(): Promise<void> {
    if (this.#running !== undefined || this.#pausing !== undefined || this.#closed) return;
    await this.#run().peer.call("warmUp", {});
  }

  /** Ends the thread when nothing was asked of it that it has not answered; the next call makes another. */
  async letGo(): Promise<void> {
    const running = this.#running;
    if (running === undefined || running.peer.waiting > 0) return;
    this.#running = undefined;
    await running.thread.terminate();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#running;
    if (running === undefined) return;
    await running.peer
      .call("closeAll", {})
      .catch((error: unknown) => this.#options.log.error({ err: error }, "the databases were not closed in order"));
    await running.thread.terminate();
  }

  #run(): Running {
    if (this.#running !== undefined) return this.#running;
    const { workerUrl, settings, answer, clock, log } = this.#options;
    if (this.#closed) throw new Error("the databases are being closed");
    const thread = new Worker(workerUrl, { workerData: settings, name: "telamon-engine" });
    const peer = new Peer({
      channel: thread,
      answer,
      onLog: ({ level, fields, message }) => log[level](fields, message),
    });
    const running: Running = { thread, peer, sinceMs: clock.monotonicMs(), used: false };
    this.#running = running;
    thread.on("error", (error) => log.error({ err: error }, "the database thread failed"));
    thread.on("exit", (code) => this.#ended(running, code));
    return running;
  }

  #ended(running: Running, code: number): void {
    running.peer.breakOff(new Error("the database thread has ended"));
    // One that was let go.
    if (this.#running !== running) return;
    this.#running = undefined;
    if (this.#closed) return;
    const { clock, log, onDeath } = this.#options;
    log.error({ code }, "the database thread has ended");
    this.#failures = clock.monotonicMs() - running.sinceMs > longLifeMs ? 1 : this.#failures + 1;
    // A thread that dies at once must not be made anew without end.
    this.#pausing = clock
      .sleep(Math.min(backoffMaxMs, backoffMs * 2 ** (this.#failures - 1)))
      .finally(() => (this.#pausing = undefined));
    onDeath();
  }
}
