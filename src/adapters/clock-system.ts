import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../ports/clock.ts";

/** Longest delay a timer of Node takes; longer sleeps are cut into pieces. */
const longestTimerMs = 2_147_483_647;

/** The machine's clock and timers. */
export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep,
  };
}

async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  let remainingMs = Math.max(0, delayMs);
  do {
    const pieceMs = Math.min(remainingMs, longestTimerMs);
    await sleepPiece(pieceMs, signal);
    remainingMs -= pieceMs;
  } while (remainingMs > 0);
}

async function sleepPiece(pieceMs: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  try {
    await delay(pieceMs, undefined, signal === undefined ? { ref: false } : { ref: false, signal });
  } catch (error) {
    // Node rejects with its own AbortError; the port promises the signal's reason.
    signal?.throwIfAborted();
    throw error;
  }
}
