import { Worker } from "node:worker_threads";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import type { Caller, HostCalls, WorkerSettings } from "./protocol.ts";

export interface EngineThreadOptions {
  readonly workerUrl: URL;
  readonly settings: WorkerSettings;
  readonly answer: PeerOptions["answer"];
  /** Whether a thread that ended is to be made anew at once; otherwise the next call makes one. */
  readonly needed: () => boolean;
  /** Brings a new thread to where the one before was, through `call`. */
  readonly restore: (call: Caller<HostCalls>) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Wait before a thread that ended is made anew; doubled each time, up to the longest, and forgotten when one lives long enough. */
const backoffMs = 50;
const backoffMaxMs = 10_000;
const longLifeMs = 60_000;

interface Running {
  readonly thread: Worker;
  readonly peer: Peer;
  readonly sinceMs: number;
}

/** One worker thread, made at the first call and made again when it dies. Calls that were under way then are rejected; later ones wait until it is back. */
export class EngineThread {
  readonly #options: EngineThreadOptions;
  #running: Running | undefined;
  #restarting: Promise<void> | undefined;
  #failures = 0;
  #closed = false;

  constructor(options: EngineThreadOptions) {
    this.#options = options;
  }

  readonly call: Caller<HostCalls> = async (name, argument) => {
    await this.#restarting;
    return this.#callOn(this.#run(), name, argument);
  };

  /** Resolves when a thread that died has been made anew, or at once when none has. */
  async restarted(): Promise<void> {
    await this.#restarting;
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

  #callOn: (running: Running, ...call: Parameters<Caller<HostCalls>>) => Promise<never> = async (
    { peer },
    name,
    argument,
  ) => (await peer.call(name, argument)) as never;

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
    const running: Running = { thread, peer, sinceMs: clock.monotonicMs() };
    this.#running = running;
    thread.on("error", (error) => log.error({ err: error }, "the database thread failed"));
    thread.on("exit", (code) => this.#ended(running, code));
    return running;
  }

  #ended({ peer, sinceMs }: Running, code: number): void {
    this.#running = undefined;
    peer.breakOff(new Error("the database thread has ended"));
    if (this.#closed) return;
    const { clock, log, needed } = this.#options;
    log.error({ code }, "the database thread has ended");
    this.#failures = clock.monotonicMs() - sinceMs > longLifeMs ? 1 : this.#failures + 1;
    // A restart under way sees its own call fail and goes on by itself.
    if (!needed() || this.#restarting !== undefined) return;
    this.#restarting = this.#restart()
      .catch((error: unknown) => log.error({ err: error }, "the database thread could not be made anew"))
      .finally(() => (this.#restarting = undefined));
  }

  async #restart(): Promise<void> {
    const { clock, log, restore } = this.#options;
    while (!this.#closed) {
      // The timer does not keep the process alive, and it need not: without its listeners nobody waits.
      await clock.sleep(Math.min(backoffMaxMs, backoffMs * 2 ** (this.#failures - 1)));
      if (this.#closed) return;
      const running = this.#run();
      await restore((name, argument) => this.#callOn(running, name, argument));
      if (this.#running === running) {
        log.warn({}, "the database thread was made anew");
        return;
      }
    }
  }
}
