import type { Clock } from "../ports/clock.ts";

/** A session that nobody used for so long has ended (manual, `localLogicalSessionTimeoutMinutes`). */
export const sessionTimeoutMs = 30 * 60_000;
/** Sessions remembered; past it the one that was used longest ago is forgotten. */
const sessionsMax = 10_000;

/** Sessions that were used lately, by their keys in hexadecimal digits. */
export class SessionRegistry {
  readonly #clock: Clock;
  /** By the monotonic clock, in the order of their last use. */
  readonly #lastUsesMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  use(key: string): void {
    // Deleted first, so that the map stays in the order of the last use.
    this.#lastUsesMs.delete(key);
    this.#lastUsesMs.set(key, this.#clock.monotonicMs());
    this.#forgetOld();
  }

  end(isMeant: (key: string) => boolean): void {
    for (const key of this.#lastUsesMs.keys()) if (isMeant(key)) this.#lastUsesMs.delete(key);
  }

  /** Keys and the times of day of their last uses, in milliseconds. */
  list(): readonly (readonly [string, number])[] {
    this.#forgetOld();
    const startMs = this.#clock.nowMs() - this.#clock.monotonicMs();
    return Array.from(this.#lastUsesMs, ([key, lastUseMs]) => [key, Math.floor(startMs + lastUseMs)] as const);
  }

  #forgetOld(): void {
    const sinceMs = this.#clock.monotonicMs() - sessionTimeoutMs;
    for (const [key, lastUseMs] of this.#lastUsesMs) {
      if (this.#lastUsesMs.size <= sessionsMax && lastUseMs >= sinceMs) return;
      this.#lastUsesMs.delete(key);
    }
  }
}
