/** The time of day and timers. One implementation reads the system; tests hold one they move by hand. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. May jump either way when an operator sets the clock. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations and expiry within one process. */
  monotonicMs(): number;
  /** Resolves after `delayMs`, or rejects with the signal's reason when `signal` aborts first. Does not keep the process alive. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
