import type { Entry } from "./entry.ts";
import type { PackReader } from "./pack-reader.ts";
import { chunksOf, type Tree } from "./tree.ts";

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
  readonly #parent: AsyncGenerator<Entry> | undefined;
  /** In the parent's order, with each one's place in it. */
  readonly #window = new Map<string, { readonly entry: Entry; readonly place: number }>();
  readonly #pages = new Map<string, Entry>();
  readonly #recent = new Map<string, Entry>();
  #parentEnded = false;
  #nextPlace = 0;
  #missesSinceHit = 0;

  constructor(reader: PackReader, parent: Tree | undefined) {
    this.#parent = parent === undefined ? undefined : chunksOf(reader, parent, (page) => remember(this.#pages, page));
    this.#parentEnded = parent === undefined;
  }

  /** The stored chunk of that id; moves the window along. Damage in the parent is thrown. */
  async findChunk(id: Uint8Array): Promise<Entry | undefined> {
    const key = keyOf(id);
    if (!this.#parentEnded && this.#window.size < windowEntries) await this.#fill(windowEntries - this.#window.size);
    const found = this.#window.get(key);
    if (found === undefined) {
      this.#missesSinceHit += 1;
      // A long stretch of new chunks: move along, or the window would stand still behind what was deleted.
      if (this.#missesSinceHit > windowBehind) this.#dropOldest();
      return this.#recent.get(key);
    }
    this.#missesSinceHit = 0;
    this.#dropBefore(found.place - windowBehind);
    return found.entry;
  }

  findPage(id: Uint8Array): Entry | undefined {
    return this.#pages.get(keyOf(id));
  }

  /** Remembers what was just stored. */
  stored(entry: Entry): void {
    remember(this.#recent, entry);
  }

  async #fill(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      const next = await this.#parent?.next();
      if (next === undefined || next.done === true) {
        this.#parentEnded = true;
        return;
      }
      this.#window.set(keyOf(next.value.id), { entry: next.value, place: this.#nextPlace });
      this.#nextPlace += 1;
    }
  }

  #dropOldest(): void {
    const oldest = this.#window.keys().next().value;
    if (oldest !== undefined) this.#window.delete(oldest);
  }

  #dropBefore(place: number): void {
    for (const [key, held] of this.#window) {
      if (held.place >= place) return;
      this.#window.delete(key);
    }
  }
}

function remember(known: Map<string, Entry>, entry: Entry): void {
  const key = keyOf(entry.id);
  known.delete(key);
  known.set(key, entry);
  if (known.size > rememberedEntries) known.delete(known.keys().next().value as string);
}

/** 16 of the 32 bytes tell chunks apart well enough for a map; the whole id is compared when bytes are read. */
function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, 16).toString("latin1");
}
