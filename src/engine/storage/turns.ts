import { paused, Work } from "../steps.ts";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Lets one at a time work, in the order they asked. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

/** Gives way to others when a stretch of work has lasted long enough. */
export class Pace {
  readonly #monotonicMs: () => number;
  readonly #signal: AbortSignal;
  #sinceMs: number;

  constructor(monotonicMs: () => number, signal: AbortSignal) {
    this.#monotonicMs = monotonicMs;
    this.#signal = signal;
    this.#sinceMs = monotonicMs();
  }

  /** Whether the stretch is over; `rest` is due then. */
  get due(): boolean {
    return this.#monotonicMs() - this.#sinceMs > 5;
  }

  /** Goes on with work that is paused, until it is done. */
  async finish<Argument, Result>(work: Work<Argument, Result>, argument: Argument): Promise<Result> {
    for (;;) {
      if (this.due) await this.rest();
      const result = work.run(argument);
      if (result !== paused) return result;
    }
  }

  /** Makes something, giving way where the making pauses. */
  make<Result>(make: () => Result): Promise<Result> {
    return this.finish(new Work(make), undefined);
  }

  /** Takes steps, each followed by a good moment to give way; undefined when there was but one. */
  drain(steps: Generator<undefined, void>): Promise<void> | undefined {
    return steps.next().done === true ? undefined : this.#drainRest(steps);
  }

  async #drainRest(steps: Generator<undefined, void>): Promise<void> {
    do if (this.due) await this.rest();
    while (steps.next().done !== true);
  }

  /** Throws the signal's reason when it aborted. */
  async rest(): Promise<void> {
    this.#signal.throwIfAborted();
    await nextTurn();
    this.#signal.throwIfAborted();
    this.#sinceMs = this.#monotonicMs();
  }
}
