import { EngineError } from "../engine-error.ts";

/** Whoever holds keys. `ended` resolves when it lets go of them, which `expire` makes it do once its time is over. */
export interface Holder {
  readonly ended: Promise<void>;
  /** Milliseconds until its time is over. */
  leftMs(): number;
  expire(): void;
}

/** A write met a document that an open transaction has written; it is to wait for the end of that and begin anew. */
export class KeyHeld extends Error {
  readonly #holder: Holder;

  constructor(holder: Holder) {
    super("a transaction holds the document");
    this.#holder = holder;
  }

  /** Throws the signal's reason. */
  async released(signal: AbortSignal): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#holder.expire();
      over.resolve();
    }, this.#holder.leftMs());
    const stop = (): void => over.resolve();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await Promise.race([this.#holder.ended, over.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
    signal.throwIfAborted();
  }
}

/** Documents that open transactions have written, by collection and key of `_id`. */
export class HeldKeys {
  readonly #holders = new Map<string, Holder>();

  get size(): number {
    return this.#holders.size;
  }

  holderOf(collectionId: number, key: Uint8Array): Holder | undefined {
    return this.#holders.get(nameOf(collectionId, key));
  }

  hold(collectionId: number, key: Uint8Array, holder: Holder): void {
    this.#holders.set(nameOf(collectionId, key), holder);
  }

  letGo(holder: Holder): void {
    for (const [name, one] of this.#holders) if (one === holder) this.#holders.delete(name);
  }
}

function nameOf(collectionId: number, key: Uint8Array): string {
  return `${collectionId}:${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1")}`;
}

/** 112 WriteConflict: the whole transaction is to be tried again (manual, "Transactions and Write Conflicts"). */
export function writeConflict(): EngineError {
  return new EngineError(
    112,
    "WriteConflict",
    "Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.",
    ["TransientTransactionError"],
  );
}
