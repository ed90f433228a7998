import { createHash, type Hash } from "node:crypto";
import { decodeEntries, encodeEntries, type Entry, firstWordOf } from "./entry.ts";
import type { PackReader } from "./pack-reader.ts";

/** Entries of a page: cut where an entry's own id says so, so that pages of two snapshots meet again behind a change. */
const pageMinEntries = 64;
const pageMaxEntries = 1024;
const pageMeanEntries = 256;
/** Entries the manifest itself holds: few, since every snapshot has a manifest of its own, and pages are shared. */
const topEntriesMax = 4;

/** Stores a page, or finds it where it is stored already. */
export type StorePage = (
  bytes: Uint8Array,
  totals: Pick<Entry, "documentCount" | "dataSizeBytes" | "firstId">,
) => Promise<Entry>;

/** A tree of entries: at level 0 the entries are chunks of documents, above it pages of the level below. */
export interface Tree {
  readonly level: number;
  readonly entries: readonly Entry[];
}

/** Writes entries in order into pages, pages into pages, until few enough are left for the manifest itself. */
export class TreeWriter {
  readonly #storePage: StorePage;
  readonly #levels: Entry[][] = [[]];
  readonly #chunksHash: Hash | undefined;

  constructor(storePage: StorePage, options: { readonly fingerprint?: boolean } = {}) {
    this.#storePage = storePage;
    this.#chunksHash = options.fingerprint === true ? createHash("sha256") : undefined;
  }

  /** After `finish`, when it was asked for: hash of everything about the chunks but where they are; how they are put in pages follows from that. */
  fingerprint(): Uint8Array | undefined {
    return this.#chunksHash?.digest();
  }

  /** A promise only when a page ended. */
  add(entry: Entry, level: number = 0): Promise<void> | undefined {
    const page = (this.#levels[level] ??= []);
    page.push(entry);
    if (level === 0 && this.#chunksHash !== undefined) addTo(this.#chunksHash, entry);
    const ends = page.length >= pageMinEntries && firstWordOf(entry) % pageMeanEntries === 0;
    return ends || page.length >= pageMaxEntries ? this.#endPage(level) : undefined;
  }

  async finish(): Promise<Tree> {
    for (let level = 0; ; level += 1) {
      const page = this.#levels[level] ?? [];
      const isTop = this.#levels.length === level + 1;
      if (isTop && page.length <= topEntriesMax) return { level, entries: page };
      if (page.length > 0) await this.#endPage(level);
    }
  }

  async #endPage(level: number): Promise<void> {
    const page = this.#levels[level] as Entry[];
    this.#levels[level] = [];
    const totals = {
      documentCount: page.reduce((sum, entry) => sum + entry.documentCount, 0),
      dataSizeBytes: page.reduce((sum, entry) => sum + entry.dataSizeBytes, 0),
      firstId: page[0]?.firstId ?? new Uint8Array(0),
    };
    await this.add(await this.#storePage(encodeEntries(page), totals), level + 1);
  }
}

function addTo(hash: Hash, { id, documentCount, dataSizeBytes, firstId }: Entry): void {
  const counts = new Float64Array([documentCount, dataSizeBytes, firstId.length]);
  hash.update(id).update(counts).update(firstId);
}

/** Every chunk of a tree in order. `onPage` is told of each page on the way, before what is in it. */
export async function* chunksOf(reader: PackReader, tree: Tree, onPage?: (page: Entry) => void): AsyncGenerator<Entry> {
  for await (const chunks of chunkRuns(reader, tree, onPage)) yield* chunks;
}

/** The same, a page's chunks at once. */
export async function* chunkRuns(
  reader: PackReader,
  tree: Tree,
  onPage?: (page: Entry) => void,
): AsyncGenerator<readonly Entry[]> {
  if (tree.level === 0) {
    yield tree.entries;
    return;
  }
  for (const page of tree.entries) {
    onPage?.(page);
    yield* chunkRuns(reader, { level: tree.level - 1, entries: decodeEntries(await reader.read(page)) }, onPage);
  }
}
