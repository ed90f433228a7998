import { type Entry, entryKeyOf } from "./entry.ts";
import type { PackReader } from "./pack-reader.ts";
import { type NextRun, ParentInOrder } from "./parent-in-order.ts";
import { ParentWindow } from "./parent-window.ts";
import { chunkRuns, type Tree } from "./tree.ts";

/** Pages of the parent, and chunks of this snapshot, that are remembered. */
const rememberedEntries = 4096;

/**
 * Finds chunks and pages that are stored already: in the same collection of the parent snapshot, read along in order with a window around where we are, and among what this
 * snapshot stored last. Memory does not grow with the collection; what lies outside the window is stored again, which costs room and nothing else.
 */
export class KnownChunks {
  readonly #nextRun: NextRun;
  readonly #inOrder: ParentInOrder;
  /** Where chunks are looked for once an order of `_id`s was broken. */
  #window: ParentWindow | undefined;
  readonly #pages = new LastEntries();
  readonly #recent = new LastEntries();

  constructor(reader: PackReader, parent: Tree | undefined) {
    const runs = parent === undefined ? undefined : chunkRuns(reader, parent, (page) => this.#pages.add(page));
    this.#nextRun = async () => (await runs?.next())?.value as readonly Entry[] | undefined;
    this.#inOrder = new ParentInOrder(this.#nextRun);
  }

  /** The stored chunk of that id, whose first document has `firstId`. A promise when the parent must be read for that; damage in it is thrown. */
  findChunk(id: Uint8Array, firstId: Uint8Array): Entry | undefined | Promise<Entry | undefined> {
    if (this.#window !== undefined) return this.#findInWindow(this.#window, id, firstId);
    const found = this.#inOrder.find(id, firstId);
    if (found === "read on") return this.#findFurther(id, firstId);
    if (found === "out of order") return this.#findInWindow(this.#leaveOrder(), id, firstId);
    return found ?? this.#findRecent(id);
  }

  async #findFurther(id: Uint8Array, firstId: Uint8Array): Promise<Entry | undefined> {
    for (;;) {
      await this.#inOrder.readOn();
      const found = this.#inOrder.find(id, firstId);
      if (found === "read on") continue;
      return found === "out of order"
        ? this.#findInWindow(this.#leaveOrder(), id, firstId)
        : (found ?? this.#findRecent(id));
    }
  }

  #leaveOrder(): ParentWindow {
    return (this.#window = new ParentWindow(this.#nextRun, this.#inOrder));
  }

  #findInWindow(
    window: ParentWindow,
    id: Uint8Array,
    firstId: Uint8Array,
  ): Entry | undefined | Promise<Entry | undefined> {
    const found = window.find(id, firstId);
    return found instanceof Promise
      ? found.then((entry) => entry ?? this.#findRecent(id))
      : (found ?? this.#findRecent(id));
  }

  #findRecent(id: Uint8Array): Entry | undefined {
    return this.#recent.find(entryKeyOf(id));
  }

  findPage(id: Uint8Array): Entry | undefined {
    return this.#pages.find(entryKeyOf(id));
  }

  /** Remembers a page of a parent that is read along elsewhere. */
  seenPage(page: Entry): void {
    this.#pages.add(page);
  }

  /** Remembers what was just stored, or was found stored elsewhere. */
  stored(entry: Entry): void {
    this.#recent.add(entry);
  }
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
    this.#newer.set(entryKeyOf(entry.id), entry);
  }

  find(key: string): Entry | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }
}
