import type { Clock } from "../../src/ports/clock.ts";

/** A clock that moves only when told. */
export interface FakeClock extends Clock {
  /** Moves both clocks forward and ends the sleeps that are due, in order of their time. */
  advance(durationMs: number): void;
  /** Sets the time of day as an operator would, either way; the monotonic clock stays. */
  setNowMs(nowMs: number): void;
  /** How many sleeps wait. */
  sleeping(): number;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Starts at `startMs`, 2026-01-01T00:00:00Z when left out. */
export function createFakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs;
  let monotonicMs = 0;
  let sleepers: Sleeper[] = [];

  return {
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    sleeping: () => sleepers.length,
    setNowMs: (value) => {
      nowMs = value;
    },
    advance: (durationMs) => {
      const endMs = monotonicMs + durationMs;
      for (;;) {
        const next = sleepers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
        if (next === undefined || next.dueMs > endMs) break;
        nowMs += next.dueMs - monotonicMs;
        monotonicMs = next.dueMs;
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        next.wake();
      }
      nowMs += endMs - monotonicMs;
      monotonicMs = endMs;
    },
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason as Error);
          return;
        }
        const onAbort = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal?.reason as Error);
        };
        const sleeper: Sleeper = {
          dueMs: monotonicMs + Math.max(0, delayMs),
          wake: () => {
            signal?.removeEventListener("abort", onAbort);
            resolve();
          },
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        sleepers = [...sleepers, sleeper];
      }),
  };
}
