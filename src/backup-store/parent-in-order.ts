import { compareIds } from "../shared/id-order.ts";
import type { Entry } from "./entry.ts";

/** The next chunks of a parent; undefined behind its last one. */
export type NextRun = () => Promise<readonly Entry[] | undefined>;

/** What is known of a chunk that is looked for: the entry, or that there is none; "read on" when more must be read, "out of order" when this cannot tell. */
export type FoundInOrder = Entry | undefined | "read on" | "out of order";

/** Chunks passed that are kept, for whoever goes on without an order. */
const passedMax = 4096;

/**
 * Finds chunks of a parent while its chunks and those asked for both come in the order of their first ids, no two the same: equal chunks begin with the same document, so that
 * going along both is enough, and what did not change costs one comparison of ids. Its memory is a page and what was passed last.
 */
export class ParentInOrder {
  readonly #nextRun: NextRun;
  #held: Entry[] = [];
  #position = 0;
  #isOrdered = true;
  #hasEnded = false;
  #lastAskedId: Uint8Array | undefined;

  constructor(nextRun: NextRun) {
    this.#nextRun = nextRun;
  }

  /** Chunks around where we are, in the parent's order. */
  get held(): readonly Entry[] {
    return this.#held;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** First id that was asked for last. */
  get lastAskedId(): Uint8Array | undefined {
    return this.#lastAskedId;
  }

  /** The stored chunk of that id, whose first document has `firstId`. */
  find(id: Uint8Array, firstId: Uint8Array): FoundInOrder {
    if (!this.#isOrdered) return "out of order";
    for (; ; this.#position += 1) {
      const next = this.#held[this.#position];
      if (next === undefined && !this.#hasEnded) return "read on";
      if (next !== undefined && isSame(next.id, id)) {
        this.#position += 1;
        this.#lastAskedId = next.firstId;
        return next;
      }
      const side = next === undefined ? 1 : compareIds(next.firstId, firstId);
      if (side !== undefined && side < 0) continue;
      if (side === undefined || !precedes(this.#lastAskedId, firstId)) return "out of order";
      // A copy: what is asked for is a view of memory that is used again.
      this.#lastAskedId = Uint8Array.from(firstId);
      return undefined;
    }
  }

  /** Reads the next chunks of the parent. Damage in it is thrown. */
  async readOn(): Promise<void> {
    const run = await this.#nextRun();
    if (run === undefined) {
      this.#hasEnded = true;
      return;
    }
    if (this.#position > 2 * passedMax) {
      this.#held = this.#held.slice(this.#position - passedMax);
      this.#position = passedMax;
    }
    let last = this.#held.at(-1)?.firstId;
    for (const entry of run) {
      this.#isOrdered &&= precedes(last, entry.firstId);
      last = entry.firstId;
      this.#held.push(entry);
    }
  }
}

function precedes(before: Uint8Array | undefined, firstId: Uint8Array): boolean {
  return before === undefined || (compareIds(before, firstId) ?? 0) < 0;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  for (let index = 0; index < one.length; index += 1) if (one[index] !== other[index]) return false;
  return one.length === other.length;
}
