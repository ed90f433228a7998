import type { EngineCursor } from "./engine.ts";
import { DamagedFile, EngineError } from "./engine-error.ts";
import { type Flow, takeFrom } from "./query/flow.ts";
import { Pace } from "./storage/turns.ts";

/** A cursor over a flow of documents. */
export class FlowCursor implements EngineCursor {
  readonly #flow: Flow;
  readonly #monotonicMs: () => number;
  #pending: Uint8Array | undefined;
  #exhausted = false;

  constructor(flow: Flow, monotonicMs: () => number) {
    this.#flow = flow;
    this.#monotonicMs = monotonicMs;
  }

  get exhausted(): boolean {
    return this.#exhausted;
  }

  async next(
    limits: { readonly maxDocuments: number; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[]> {
    if (this.#exhausted) return [];
    try {
      const taken = await takeFrom(this.#flow, limits, this.#pending, new Pace(this.#monotonicMs, signal));
      this.#pending = taken.pending;
      this.#exhausted = taken.exhausted;
      return taken.documents;
    } catch (error) {
      this.close();
      throw readError(error);
    }
  }

  close(): void {
    this.#exhausted = true;
    this.#pending = undefined;
    this.#flow.return();
  }
}

/** What a dropped collection or a closed file does to whoever still reads. */
export function readError(error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (code !== "ERR_SQLITE_ERROR" && code !== "ERR_INVALID_STATE") return error;
  const { message } = error as Error;
  if (/no such table|database is not open|statement has been finalized/.test(message)) {
    return new EngineError(
      175,
      "QueryPlanKilled",
      "the collection was dropped or the data replaced while it was being read",
    );
  }
  if (/malformed|not a database|corrupt/.test(message)) return new DamagedFile(`the data file is damaged: ${message}`);
  return error;
}
