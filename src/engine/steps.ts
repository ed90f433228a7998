import { EngineError } from "./engine-error.ts";

/*
 * Work on one document (an expression, a predicate, an update) is plain calls, which cannot be left in the middle. Loops over arrays are written as `Loop`s, whose state
 * is kept outside of the stack: after so many steps everything on the stack is thrown away, others have their turn, and the same work is begun again, where every loop
 * that ended answers what it answered before and every other goes on where it was (docs/adr/0008-pauses-within-a-document.md).
 */

/** Steps after which others have their turn: some milliseconds. A step is about a microsecond's work; what takes longer charges more. */
export const stepsBetweenPauses = 8192;

/** Time after which others have their turn where steps take longer than they should: each may look at a whole value. */
const pauseAfterMs = 10;
/** How many steps are taken between two looks at the clock, unless these take so long that it is looked at after each. */
const stepsBetweenLooks = 16;
const longStepsMs = 1;

/** Most steps that nobody can interrupt: of expressions that are computed outside of `Work`, when a view or a rule is made for instance. */
export const uninterruptedStepsMax = 100_000;

/** Most bytes of results that the loops of one document's work may hold. */
const heldMaxBytes = 200 * 1024 * 1024;

/** A loop that can be left between two steps. */
export interface Loop<Argument, State, Result> {
  begin(argument: Argument): State;
  /** Does one step; answers whether there are more. It may be begun again from where it calls loops of its own, and must change nothing but the state, at its end. */
  step(state: State): boolean;
  end(state: State): Result;
}

/** Loops in the order in which they were called, within one step of the loop around them. */
class Frame {
  readonly calls: Call[] = [];
  next = 0;
  heldBytes = 0;

  clear(): void {
    if (this.calls.length === 0) return;
    this.calls.length = 0;
    held -= this.heldBytes;
    this.heldBytes = 0;
  }
}

class Call {
  readonly within = new Frame();
  begun = false;
  ended = false;
  state: unknown;
  result: unknown;
}

/** Thrown through everything between a loop and the work it is part of. */
class Pause extends Error {}
const pause = new Pause("work on a document is left for a moment");

let current: Frame | undefined;
/** Whether work goes over what it did before the last pause. */
let replaying = false;
let steps = 0;
let uninterruptedDepth = 0;
/** When the stretch began, as far as the clock was looked at; undefined while it was not. */
let sinceMs: number | undefined;
let lookedMs = 0;
let untilLook = 1;
let held = 0;

/** Counts further steps: of what is not a loop, or takes longer than a step should. */
export function charge(count: number): void {
  steps += count;
  if (current === undefined && steps > uninterruptedStepsMax && uninterruptedDepth > 0)
    throw new EngineError(
      262,
      "ExceededTimeLimit",
      `an expression takes more than ${uninterruptedStepsMax} steps where nothing could stop it`,
    );
}

/** Runs a loop to its end. Within `Work` it may be left by a pause and is gone on with when the work is run again. */
export function looped<Argument, State, Result>(loop: Loop<Argument, State, Result>, argument: Argument): Result {
  const outer = current;
  if (outer === undefined) return uninterrupted(loop, argument);
  const call = (outer.calls[outer.next] ??= new Call());
  outer.next += 1;
  if (call.ended) return call.result as Result;
  const frame = call.within;
  current = frame;
  try {
    if (!call.begun) {
      frame.next = 0;
      call.state = loop.begin(argument);
      call.begun = true;
      frame.clear();
    }
    for (;;) {
      frame.next = 0;
      const more = loop.step(call.state as State);
      frame.clear();
      if (!more) break;
      steps += 1;
      // What led here again is not to be paid for with the steps of this turn, or there would be no progress.
      if (replaying) {
        replaying = false;
        beginStretch();
      }
      if (steps >= stepsBetweenPauses || lasts()) throw pause;
    }
    frame.next = 0;
    const result = loop.end(call.state as State);
    hold(outer, result);
    call.ended = true;
    call.result = result;
    call.state = undefined;
    return result;
  } finally {
    current = outer;
  }
}

function beginStretch(): void {
  steps = 0;
  sinceMs = undefined;
  untilLook = 1;
}

/** Whether the stretch lasts too long. */
function lasts(): boolean {
  untilLook -= 1;
  if (untilLook > 0) return false;
  const nowMs = performance.now();
  untilLook = sinceMs === undefined || nowMs - lookedMs > longStepsMs ? 1 : stepsBetweenLooks;
  lookedMs = nowMs;
  sinceMs ??= nowMs;
  return nowMs - sinceMs > pauseAfterMs;
}

/** What work came to, also when it is begun again: for what must not be done twice, or takes long. */
export function remembered<Result>(work: () => Result): Result {
  return looped(once as Loop<() => Result, Result, Result>, work);
}

const once: Loop<() => unknown, unknown, unknown> = {
  begin: (work) => work(),
  step: () => false,
  end: (result) => result,
};

function uninterrupted<Argument, State, Result>(loop: Loop<Argument, State, Result>, argument: Argument): Result {
  if (uninterruptedDepth === 0) steps = 0;
  uninterruptedDepth += 1;
  try {
    const state = loop.begin(argument);
    while (loop.step(state)) charge(1);
    return loop.end(state);
  } finally {
    uninterruptedDepth -= 1;
  }
}

function hold(frame: Frame, result: unknown): void {
  const { start, end } = (result ?? {}) as { readonly start?: unknown; readonly end?: unknown };
  if (typeof start !== "number" || typeof end !== "number") return;
  frame.heldBytes += end - start;
  held += end - start;
  if (held > heldMaxBytes)
    throw new EngineError(
      146,
      "ExceededMemoryLimit",
      `an expression holds more than ${heldMaxBytes} bytes of values for one document`,
    );
}

/** Answered by work that is not done. */
export const paused: unique symbol = Symbol("paused");

/** Work on one thing after the other, each of which may take long. It must come to the same whenever it is begun with the same. */
export class Work<Argument, Result> {
  readonly #work: (argument: Argument) => Result;
  readonly #frame = new Frame();
  #held = 0;

  constructor(work: (argument: Argument) => Result) {
    this.#work = work;
  }

  /** The result, or `paused`: then it is to be run with the same argument again, after others had their turn. Within other work it is part of that. */
  run(argument: Argument): Result | typeof paused {
    if (current !== undefined) return this.#work(argument);
    const frame = this.#frame;
    frame.next = 0;
    current = frame;
    replaying = frame.calls.length > 0;
    sinceMs = undefined;
    held = this.#held;
    this.#held = 0;
    try {
      const result = this.#work(argument);
      frame.clear();
      return result;
    } catch (error) {
      if (error === pause) {
        beginStretch();
        this.#held = held;
        return paused;
      }
      frame.clear();
      throw error;
    } finally {
      current = undefined;
    }
  }

  /** As `run`, with `undefined` for each pause. */
  *pausing(argument: Argument): Generator<undefined, Result> {
    for (;;) {
      const result = this.run(argument);
      if (result !== paused) return result;
      yield undefined;
    }
  }
}
