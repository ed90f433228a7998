import type { ChangedDocuments, WrittenCollection } from "../ports/snapshot-repository.ts";
import { type Chunk, firstIdOf } from "./chunker.ts";
import { CollectionTree } from "./collection-tree.ts";
import type { Entry } from "./entry.ts";
import { type ChunkTaker, cutIncrement } from "./increment.ts";
import type { StoreKeys } from "./keys.ts";
import { KnownChunks } from "./known-chunks.ts";
import { NeededBlocks } from "./needed-blocks.ts";
import type { PackReader } from "./pack-reader.ts";
import type { PackWriter } from "./pack-writer.ts";
import { type StorePage, type Tree, TreeWriter } from "./tree.ts";

export interface IncrementRequest {
  readonly keys: StoreKeys;
  readonly reader: PackReader;
  /** The collection in the snapshot before. */
  readonly parent: Tree;
  readonly changes: ChangedDocuments;
}

export interface StoredIncrement {
  readonly tree: Tree;
  readonly written: WrittenCollection;
  /** What it needs; in a set of its own, since it may be refused half-way. */
  readonly needed: NeededBlocks;
}

/** Stores a collection as the parent has it, but for what changed. Throws `IncrementRefused`. */
export async function storeIncrement(request: IncrementRequest, packs: PackWriter): Promise<StoredIncrement> {
  const { keys, reader } = request;
  const needed = new NeededBlocks();
  const known = new KnownChunks(reader, undefined);
  const tree = new CollectionTree({ keys, packs, needed, known }, { fingerprint: false });
  const taker: ChunkTaker = {
    cut: async (chunk) => {
      await tree.store(keys.chunkId(chunk.bytes), chunk.bytes, chunk);
      await packs.ready();
    },
    keep: (entry) => tree.keep(entry),
    seenChunk: (entry) => known.stored(entry),
    seenPage: (entry) => known.seenPage(entry),
  };
  await cutIncrement({ ...request, taker });
  return { ...(await tree.end()), needed };
}

/** What `storeIncrement` would store; nothing is. Throws `IncrementRefused`. */
export async function foreseeIncrement(request: IncrementRequest): Promise<WrittenCollection> {
  const totals = { documentCount: 0, dataSizeBytes: 0 };
  const tree = new TreeWriter(nowhere, { fingerprint: true });
  const take = (entry: Entry): Promise<void> | undefined => {
    totals.documentCount += entry.documentCount;
    totals.dataSizeBytes += entry.dataSizeBytes;
    return tree.add(entry);
  };
  const taker: ChunkTaker = {
    cut: async (chunk) => take(unplaced(request.keys, chunk)),
    keep: take,
    seenChunk: () => undefined,
    seenPage: () => undefined,
  };
  await cutIncrement({ ...request, taker });
  await tree.finish();
  return { ...totals, fingerprint: tree.fingerprint() };
}

const noPlace = { packId: new Uint8Array(20), blockIndex: 0, offset: 0 };

function unplaced(keys: StoreKeys, chunk: Chunk): Entry {
  const { bytes, documentCount } = chunk;
  const id = keys.chunkId(bytes);
  const firstId = Uint8Array.from(firstIdOf(bytes, chunk));
  return { id, length: bytes.length, documentCount, dataSizeBytes: bytes.length, firstId, ...noPlace };
}

const nowhere: StorePage = async (bytes, totals) => ({
  id: new Uint8Array(32),
  length: bytes.length,
  ...totals,
  ...noPlace,
});
