import type { EngineCursor } from "./engine.ts";
import { readError } from "./engine-cursor.ts";
import { EngineError } from "./engine-error.ts";
import type { Commits } from "./oplog/commits.ts";
import { type Flow, takeFrom } from "./query/flow.ts";
import { Pace } from "./storage/turns.ts";

/** A cursor that stays open at the end of what is written, and can wait there for more. */
export abstract class FollowingCursor implements EngineCursor {
  readonly #commits: Commits;
  readonly #monotonicMs: () => number;
  readonly #closed = new AbortController();
  #pending: Uint8Array | undefined;
  #seen: number;

  constructor(commits: Commits, monotonicMs: () => number) {
    this.#commits = commits;
    this.#monotonicMs = monotonicMs;
    this.#seen = commits.count;
  }

  /** What there is behind the place where the cursor stands, which moves on with what is read. */
  protected abstract behind(): Flow;

  /** Told of each batch, and whether one document more was read and is kept for the next. */
  protected abstract given(documents: readonly Uint8Array[], isOneKept: boolean): void;

  get exhausted(): boolean {
    return this.#closed.signal.aborted;
  }

  async next(
    limits: { readonly maxDocuments: number; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]> {
    if (this.exhausted) return [];
    this.#seen = this.#commits.count;
    try {
      const { documents, pending } = await takeFrom(
        this.behind(),
        limits,
        this.#pending,
        new Pace(this.#monotonicMs, signal),
      );
      this.#pending = pending;
      this.given(documents, pending !== undefined);
      return documents;
    } catch (error) {
      this.close();
      throw readError(error);
    }
  }

  /** Waits until something was written, the cursor is closed, or the time is over. Throws the signal's reason. */
  async more(timeoutMs: number, signal: AbortSignal): Promise<void> {
    await this.#commits.after(this.#seen, timeoutMs, AbortSignal.any([signal, this.#closed.signal]));
    signal.throwIfAborted();
  }

  close(): void {
    this.#pending = undefined;
    this.#closed.abort(new EngineError(237, "CursorKilled", "the cursor was closed"));
  }
}
