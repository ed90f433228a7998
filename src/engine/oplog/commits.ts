/** Wakes whoever waits for the next commit. */
export class Commits {
  #count = 0;
  #next = Promise.withResolvers<void>();

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  note(): void {
    this.#count += 1;
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }

  /** Resolves once there were more than `seen`, when `signal` aborts, and after `timeoutMs`. */
  async after(seen: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#count > seen || signal.aborted) return;
    const woken = Promise.withResolvers<void>();
    const timer = setTimeout(woken.resolve, timeoutMs);
    const wake = (): void => woken.resolve();
    signal.addEventListener("abort", wake, { once: true });
    try {
      await Promise.race([this.#next.promise, woken.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
    }
  }
}
