import { setImmediate as nextTurn } from "node:timers/promises";
import { type ChangedDocuments, IncrementRefused } from "../ports/snapshot-repository.ts";
import { viewOf } from "../shared/bson-element.ts";
import { compareIds, compareLeadingIds, compareWithLeadingId } from "../shared/id-order.ts";
import { ChangeCursor, known, requireLeadingId, sideOf } from "./change-cursor.ts";
import { placedChunks, type PlacedChunk } from "./changed-chunks.ts";
import { type Chunk, Chunker, chunkMaxBytes } from "./chunker.ts";
import type { Entry } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { PackReader } from "./pack-reader.ts";
import { ownMemory } from "./rooms.ts";
import { chunkRuns, type Tree } from "./tree.ts";

/** Takes the chunks of the collection as it is now, in order. */
export interface ChunkTaker {
  /** A chunk that was cut anew; it may be stored already. */
  cut(chunk: Chunk): Promise<void>;
  /** A chunk of the parent as it stands. */
  keep(entry: Entry): Promise<void> | undefined;
  /** What of the parent was looked at: cut anew it is found again. */
  seenChunk(entry: Entry): void;
  seenPage(entry: Entry): void;
}

export interface IncrementParts {
  readonly keys: StoreKeys;
  readonly reader: PackReader;
  readonly parent: Tree;
  readonly changes: ChangedDocuments;
  readonly taker: ChunkTaker;
}

/** Bytes that are cut before others get a turn. */
const stretchBytes = 262_144;
const stretchChunks = 1024;
/** Bytes that are put together before they are cut; more than a chunk has, but for one of a single large document. */
const gatheredBytes = 2 * chunkMaxBytes;

/**
 * Makes the chunks of a collection out of the parent's and what changed. Where a chunk ends depends on the documents since the last end alone, and on the one that would not fit any more; so
 * chunks are cut anew from the start of one in which something changed until an end falls on an end of the parent again, and all others are kept unread.
 */
export async function cutIncrement(parts: IncrementParts): Promise<void> {
  const cursor = new ChangeCursor(parts.changes);
  try {
    await new Increment(parts, cursor).run();
    await cursor.end();
  } finally {
    await cursor.close();
  }
}

class Increment {
  readonly #parts: IncrementParts;
  readonly #cursor: ChangeCursor;
  readonly #chunker: Chunker;
  /** Kept, unless the chunk behind it shows that it could now hold more. */
  #held: Entry | undefined;
  #stretch = 0;
  /** What is to be cut next, put together: the parts of every changed chunk in memory of their own would be garbage soon. */
  readonly #gathered = ownMemory(gatheredBytes);
  #gatheredSize = 0;

  constructor(parts: IncrementParts, cursor: ChangeCursor) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#chunker = new Chunker(parts.keys);
  }

  async run(): Promise<void> {
    const { reader, parent, changes, taker } = this.#parts;
    const runs = chunkRuns(reader, parent, (page) => taker.seenPage(page));
    let count = 0;
    for await (const some of placedChunks(reader, runs, changes.ids)) {
      for (const placed of some) {
        this.#requireOrder(placed);
        if (this.#mustCut(placed)) await this.#cutAnew(placed);
        else {
          const kept = this.#letGo();
          if (kept !== undefined) await kept;
          this.#held = placed.entry;
        }
        count += 1;
        if (count % stretchChunks === 0) await nextTurn();
      }
    }
    await this.#letGo();
    // Of a parent without a chunk.
    await this.#pushBefore(undefined);
    await this.#pushGathered();
    const last = this.#chunker.finish();
    if (last !== undefined) await taker.cut(last);
  }

  /** Of chunks that are not read, too, as far as their first ids tell. */
  #requireOrder({ entry, nextFirstId }: PlacedChunk): void {
    if (nextFirstId !== undefined && (compareIds(entry.firstId, nextFirstId) ?? 0) > 0) throw outOfOrder();
  }

  #mustCut({ nextFirstId }: PlacedChunk): boolean {
    const { id } = this.#cursor;
    if (!this.#chunker.isAtBorder) return true;
    return id !== undefined && (nextFirstId === undefined || sideOf(id, nextFirstId) !== "behind");
  }

  async #cutAnew({ entry, nextFirstId, bytes, isReplaced }: PlacedChunk): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    const documents = isReplaced ? undefined : viewOf(bytes === undefined ? await this.#read(entry) : await bytes);
    if (held !== undefined) {
      // Only a chunk that the document behind it did not fit into may now hold more; any other ends where it did, whatever stands there now.
      const nextLength = documents?.readInt32LE() ?? entry.length;
      if (held.length >= chunkMaxBytes || held.length + nextLength <= chunkMaxBytes) await this.#parts.taker.keep(held);
      else await this.#push(await this.#read(held));
    }
    if (documents === undefined) await this.#replace(entry);
    else await this.#merge(documents);
    this.#parts.taker.seenChunk(entry);
    // What may belong here or into the next one, as far as first ids tell, is left: then that one is cut anew as well.
    await this.#pushBefore(nextFirstId);
    await this.#pushGathered();
  }

  async #read(entry: Entry): Promise<Uint8Array> {
    this.#parts.taker.seenChunk(entry);
    return this.#parts.reader.read(entry);
  }

  /** A promise only when there is something to wait for. */
  #letGo(): Promise<void> | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined ? undefined : this.#parts.taker.keep(held);
  }

  /** A chunk's documents with what changed among and before them. */
  async #merge(documents: Buffer): Promise<void> {
    let runStart = 0;
    let before = -1;
    for (let position = 0; position < documents.length;) {
      requireLeadingId(documents, position);
      if (before >= 0 && known(compareLeadingIds(documents, before, position)) >= 0) throw outOfOrder();
      before = position;
      const end = position + documents.readInt32LE(position);
      for (let changed = this.#cursor.id; changed !== undefined; changed = this.#cursor.id) {
        const order = known(compareWithLeadingId(changed, documents, position));
        if (order > 0) break;
        await this.#gather(documents.subarray(runStart, position));
        runStart = order === 0 ? end : position;
        await this.#pushChanged();
        if (order === 0) break;
      }
      position = end;
    }
    await this.#gather(documents.subarray(runStart));
  }

  /** What changed up to the one document of a chunk, which has its whole `_id` as its first id and is among that. */
  async #replace({ firstId }: Entry): Promise<void> {
    for (let { id } = this.#cursor; id !== undefined; { id } = this.#cursor) {
      const order = known(compareIds(id, firstId));
      if (order > 0) break;
      await this.#pushChanged();
      if (order === 0) return;
    }
    throw new Error("a document that was told to have changed was not met");
  }

  /** What changed and comes before a chunk for certain; all that is left when there is none. */
  async #pushBefore(nextFirstId: Uint8Array | undefined): Promise<void> {
    for (let { id } = this.#cursor; id !== undefined; { id } = this.#cursor) {
      if (nextFirstId !== undefined && sideOf(id, nextFirstId) !== "before") return;
      await this.#pushChanged();
    }
  }

  async #pushChanged(): Promise<void> {
    const document = await this.#cursor.take();
    if (document !== undefined) await this.#gather(document);
  }

  async #gather(documents: Uint8Array): Promise<void> {
    if (this.#gatheredSize + documents.length > gatheredBytes) await this.#pushGathered();
    if (documents.length > gatheredBytes) return this.#push(documents);
    this.#gathered.set(documents, this.#gatheredSize);
    this.#gatheredSize += documents.length;
  }

  async #pushGathered(): Promise<void> {
    const size = this.#gatheredSize;
    this.#gatheredSize = 0;
    await this.#push(this.#gathered.subarray(0, size));
  }

  async #push(documents: Uint8Array): Promise<void> {
    if (documents.length === 0) return;
    for (const chunk of this.#chunker.push(documents)) await this.#parts.taker.cut(chunk);
    this.#stretch += documents.length;
    if (this.#stretch < stretchBytes) return;
    this.#stretch = 0;
    await nextTurn();
  }
}

function outOfOrder(): IncrementRefused {
  return new IncrementRefused("its documents are not stored in the order of their _id");
}
