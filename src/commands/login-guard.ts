import type { Clock } from "../ports/clock.ts";

const firstDelayMs = 100;
const delayMaxMs = 5000;
/** After so long without a failure an address is as good as new. */
const forgottenAfterMs = 60_000;
/** Addresses remembered; past it the one that failed longest ago is forgotten. */
const addressesMax = 10_000;
/** Failures after which a connection is ended. */
export const failuresMax = 5;

/** Slows down who guesses passwords: each failure from an address makes the next one wait longer, over however many connections. */
export class LoginGuard {
  readonly #clock: Clock;
  readonly #failures = new Map<string, { readonly count: number; readonly lastMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a failure; answers how long it has to wait for its answer. */
  failed(host: string): number {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#failures.get(host);
    const count = known === undefined || nowMs - known.lastMs > forgottenAfterMs ? 1 : known.count + 1;
    // Deleted first, so that the map stays in the order of the last failure.
    this.#failures.delete(host);
    this.#failures.set(host, { count, lastMs: nowMs });
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= addressesMax) break;
      this.#failures.delete(oldest);
    }
    return Math.min(count * firstDelayMs, delayMaxMs);
  }
}
