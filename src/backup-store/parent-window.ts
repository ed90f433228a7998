import { compareIds } from "../shared/id-order.ts";
import { type Entry, entryKeyOf } from "./entry.ts";
import type { NextRun, ParentInOrder } from "./parent-in-order.ts";

/** Chunks of the parent held around where we are, and how many of them behind it. */
const windowEntries = 16_384;
const windowBehind = 4096;

/** Finds chunks of a parent whatever their order, within a window that moves along with what is found. */
export class ParentWindow {
  readonly #nextRun: NextRun;
  /** By id, with each one's place in the parent. */
  readonly #window = new Map<string, { readonly entry: Entry; readonly place: number }>();
  /** What stands in the window in the parent's order; the first to be looked at has `#order[#orderStart]`. */
  #order: string[] = [];
  #orderStart = 0;
  #parentEnded: boolean;
  #nextPlace = 0;
  #missesSinceHit = 0;
  /** Whether the parent's chunks, and ours, have come in the order of their `_id` so far. */
  #isOrdered = true;
  #parentLastId: Uint8Array | undefined;
  #ownLastId: Uint8Array | undefined;

  /** Goes on from where no order was found any more. */
  constructor(nextRun: NextRun, { held, hasEnded, lastAskedId }: ParentInOrder) {
    this.#nextRun = nextRun;
    this.#parentEnded = hasEnded;
    this.#ownLastId = lastAskedId;
    this.#add(held);
  }

  /** The stored chunk of that id, whose first document has `firstId`; moves the window along, and answers a promise when it must read for that. Damage in the parent is thrown. */
  find(id: Uint8Array, firstId: Uint8Array): Entry | undefined | Promise<Entry | undefined> {
    this.#isOrdered &&= followsOn(this.#ownLastId, firstId);
    // A copy: what is asked for is a view of memory that is used again.
    this.#ownLastId = Uint8Array.from(firstId);
    const isAtHand = this.#parentEnded || this.#heldCount > windowEntries / 2;
    if (isAtHand && !(this.#isOrdered && this.#isBehind(firstId))) return this.#look(entryKeyOf(id));
    return this.#lookFurther(entryKeyOf(id), this.#ownLastId);
  }

  async #lookFurther(key: string, firstId: Uint8Array): Promise<Entry | undefined> {
    await this.#fill();
    while (this.#isOrdered && this.#isBehind(firstId)) {
      // What stood here was deleted: all that is held lies before the first document asked for.
      this.#dropBefore(this.#nextPlace);
      await this.#fill();
    }
    return this.#look(key);
  }

  #look(key: string): Entry | undefined {
    const found = this.#window.get(key);
    if (found === undefined) {
      this.#missesSinceHit += 1;
      // In order the window waits behind what was inserted. Without one: move along, or it would stand still behind what was deleted.
      if (!this.#isOrdered && this.#missesSinceHit > windowBehind) this.#dropBefore(this.#firstPlace + 1);
      return undefined;
    }
    this.#missesSinceHit = 0;
    this.#dropBefore(found.place - windowBehind);
    return found.entry;
  }

  /** Whether the whole window lies before a document, and more of the parent is to come. */
  #isBehind(firstId: Uint8Array): boolean {
    if (this.#parentEnded || this.#parentLastId === undefined) return false;
    return (compareIds(this.#parentLastId, firstId) ?? 0) < 0;
  }

  async #fill(): Promise<void> {
    while (!this.#parentEnded && this.#heldCount < windowEntries) {
      const run = await this.#nextRun();
      if (run === undefined) this.#parentEnded = true;
      else this.#add(run);
    }
  }

  #add(run: readonly Entry[]): void {
    for (const entry of run) {
      this.#isOrdered &&= followsOn(this.#parentLastId, entry.firstId);
      this.#parentLastId = entry.firstId;
      const key = entryKeyOf(entry.id);
      this.#window.set(key, { entry, place: this.#nextPlace });
      this.#order.push(key);
      this.#nextPlace += 1;
    }
  }

  get #heldCount(): number {
    return this.#order.length - this.#orderStart;
  }

  /** Place of the first chunk of the parent that stands in the window. */
  get #firstPlace(): number {
    return this.#nextPlace - this.#heldCount;
  }

  #dropBefore(place: number): void {
    for (let dropped = this.#firstPlace; dropped < Math.min(place, this.#nextPlace); dropped += 1) {
      const key = this.#order[this.#orderStart] as string;
      // The same chunk may stand again further on.
      if (this.#window.get(key)?.place === dropped) this.#window.delete(key);
      this.#orderStart += 1;
    }
    if (this.#orderStart < windowEntries) return;
    this.#order = this.#order.slice(this.#orderStart);
    this.#orderStart = 0;
  }
}

function followsOn(before: Uint8Array | undefined, firstId: Uint8Array): boolean {
  return before === undefined || (compareIds(before, firstId) ?? 1) <= 0;
}
