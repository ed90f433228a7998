import type { Clock } from "../ports/clock.ts";

/** The work in hand is not wanted any more, and whoever found out has dealt with it: it ends without an outcome of its own. */
export class NotWanted extends Error {}

/** How often is asked at most. */
export const askMs = 2000;

/**
 * A check for long work, to be called after every piece: throws the signal's reason when it aborted, and `NotWanted` when `ask` (a transition's `begin`, asked anew every
 * two seconds) answers undefined, so that nobody waits for the snapshot of an instance that is being deleted.
 */
export function createWantedCheck(clock: Clock, signal: AbortSignal, ask: () => Promise<unknown>): () => Promise<void> {
  let askedMs = clock.monotonicMs();
  return async () => {
    signal.throwIfAborted();
    if (clock.monotonicMs() - askedMs < askMs) return;
    askedMs = clock.monotonicMs();
    if ((await ask()) === undefined) throw new NotWanted("the work is not wanted any more");
  };
}
