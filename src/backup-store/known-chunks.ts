import type { Entry } from "./entry.ts";
import { compareIds } from "../shared/id-order.ts";
import type { PackReader } from "./pack-reader.ts";
import { chunkRuns, type Tree } from "./tree.ts";

/** Chunks of the parent held around where we are, and how many of them behind it. */
const windowEntries = 16_384;
const windowBehind = 4096;
/** Pages of the parent, and chunks of this snapshot, that are remembered. */
const rememberedEntries = 4096;

/**
 * Finds chunks and pages that are stored already: in the same collection of the parent snapshot, read along in order with a window around where we are, and among what this
 * snapshot stored last. Memory does not grow with the collection; what lies outside the window is stored again, which costs room and nothing else.
 */
export class KnownChunks {
  readonly #parent: AsyncGenerator<readonly Entry[]> | undefined;
  /** By id, with each one's place in the parent. */
  readonly #window = new Map<string, { readonly entry: Entry; readonly place: number }>();
  /** What stands in the window in the parent's order; the first to be looked at has `#order[#orderStart]`. */
  #order: string[] = [];
  #orderStart = 0;
  readonly #pages = new LastEntries();
  readonly #recent = new LastEntries();
  #parentEnded = false;
  #nextPlace = 0;
  #missesSinceHit = 0;
  /** Whether the parent's chunks, and ours, have come in the order of their `_id` so far. */
  #isOrdered = true;
  #parentLastId: Uint8Array | undefined;
  #ownLastId: Uint8Array | undefined;

  constructor(reader: PackReader, parent: Tree | undefined) {
    this.#parent = parent === undefined ? undefined : chunkRuns(reader, parent, (page) => this.#pages.add(page));
    this.#parentEnded = parent === undefined;
  }

  /** The stored chunk of that id, whose first document has `firstId`; moves the window along, and answers a promise when it must read for that. Damage in the parent is thrown. */
  findChunk(id: Uint8Array, firstId: Uint8Array): Entry | undefined | Promise<Entry | undefined> {
    this.#isOrdered &&= followsOn(this.#ownLastId, firstId);
    this.#ownLastId = firstId;
    const isAtHand = this.#parentEnded || this.#heldCount > windowEntries / 2;
    if (isAtHand && !(this.#isOrdered && this.#isBehind(firstId))) return this.#look(keyOf(id));
    return this.#lookFurther(keyOf(id), firstId);
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
      return this.#recent.find(key);
    }
    this.#missesSinceHit = 0;
    this.#dropBefore(found.place - windowBehind);
    return found.entry;
  }

  findPage(id: Uint8Array): Entry | undefined {
    return this.#pages.find(keyOf(id));
  }

  /** Remembers a page of a parent that is read along elsewhere. */
  seenPage(page: Entry): void {
    this.#pages.add(page);
  }

  /** Remembers what was just stored, or was found stored elsewhere. */
  stored(entry: Entry): void {
    this.#recent.add(entry);
  }

  /** Whether the whole window lies before a document, and more of the parent is to come. */
  #isBehind(firstId: Uint8Array): boolean {
    if (this.#parentEnded || this.#parentLastId === undefined) return false;
    return (compareIds(this.#parentLastId, firstId) ?? 0) < 0;
  }

  async #fill(): Promise<void> {
    while (!this.#parentEnded && this.#heldCount < windowEntries) {
      const next = await this.#parent?.next();
      if (next === undefined || next.done === true) {
        this.#parentEnded = true;
        return;
      }
      for (const entry of next.value) {
        this.#isOrdered &&= followsOn(this.#parentLastId, entry.firstId);
        this.#parentLastId = entry.firstId;
        const key = keyOf(entry.id);
        this.#window.set(key, { entry, place: this.#nextPlace });
        this.#order.push(key);
        this.#nextPlace += 1;
      }
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

/** The last entries added: at least `rememberedEntries` of them, at most twice as many. */
class LastEntries {
  // Two maps that take turns: one whose first entry is deleted for each new one would step over the gaps again and again.
  #older = new Map<string, Entry>();
  #newer = new Map<string, Entry>();

  add(entry: Entry): void {
    if (this.#newer.size >= rememberedEntries) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(keyOf(entry.id), entry);
  }

  find(key: string): Entry | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }
}

/** 16 of the 32 bytes tell chunks apart well enough for a map; the whole id is compared when bytes are read. */
function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, 16).toString("latin1");
}
