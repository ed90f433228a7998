import { compareIds } from "../shared/id-order.ts";
import { firstIdMaxBytes, type Side, sideOf } from "./change-cursor.ts";
import type { Entry } from "./entry.ts";
import type { PackReader } from "./pack-reader.ts";
import { type Placed, stretchesOf } from "./stretches.ts";

/** A chunk of the parent, with what its neighbour says about it. */
export interface PlacedChunk {
  readonly entry: Entry;
  /** First id of the chunk behind it; undefined for the last one. */
  readonly nextFirstId: Uint8Array | undefined;
  /** Its bytes, of a chunk in which something may have changed. */
  readonly bytes: Promise<Uint8Array> | undefined;
  /** Whether it holds one document, and that one changed: then nobody needs its bytes. */
  readonly isReplaced: boolean;
}

/** A window ends with so many chunks, or so many bytes of chunks that are read; two are held. */
const windowChunks = 4096;
const windowBytes = 8 * 1_048_576;
/** Stretches of blocks that are read at once. */
const stretchesAtOnce = 3;

interface Read extends Placed {
  readonly settle: PromiseWithResolvers<Uint8Array>;
}

interface OpenWindow {
  readonly chunks: PlacedChunk[];
  readonly reads: Read[];
  sizeBytes: number;
}

/**
 * All chunks of the parent in order, many at a time. Those around the `_id`s that changed are read ahead, each block of a window once however its chunks are spread, so that the cost stays that
 * of the change also when many snapshots have each moved some of the chunks.
 */
export async function* placedChunks(
  reader: PackReader,
  chunks: AsyncIterable<readonly Entry[]>,
  ids: readonly Uint8Array[],
): AsyncGenerator<readonly PlacedChunk[]> {
  let before: readonly PlacedChunk[] = [];
  for await (const window of windows(chunks, ids)) {
    readAll(reader, window);
    yield before;
    before = window.chunks;
  }
  yield before;
}

async function* windows(
  chunks: AsyncIterable<readonly Entry[]>,
  ids: readonly Uint8Array[],
): AsyncGenerator<OpenWindow> {
  let position = 0;
  const changeIn = (entry: Entry, nextFirstId: Uint8Array | undefined): "none" | "some" | "all" => {
    let side: Side | undefined;
    let change: "none" | "some" | "all" = "none";
    while (position < ids.length && side !== "behind" && side !== "unknown") {
      const id = ids[position] as Uint8Array;
      side = nextFirstId === undefined ? "before" : sideOf(id, nextFirstId);
      if (side !== "behind" && change !== "all") change = isAllOf(entry, id) ? "all" : "some";
      if (side === "before") position += 1;
    }
    return change;
  };
  let window = emptyWindow();
  const place = (entry: Entry, nextFirstId: Uint8Array | undefined): void => {
    const change = changeIn(entry, nextFirstId);
    if (change !== "some") {
      window.chunks.push({ entry, nextFirstId, bytes: undefined, isReplaced: change === "all" });
      return;
    }
    const settle = Promise.withResolvers<Uint8Array>();
    // Whoever comes to the chunk sees a failure; until then it must not count as unhandled.
    settle.promise.catch(() => undefined);
    window.reads.push({ entry, settle });
    window.sizeBytes += entry.length;
    window.chunks.push({ entry, nextFirstId, bytes: settle.promise, isReplaced: false });
  };
  let held: Entry | undefined;
  for await (const run of chunks) {
    for (const entry of run) {
      if (held !== undefined) place(held, entry.firstId);
      held = entry;
      if (window.chunks.length < windowChunks && window.sizeBytes < windowBytes) continue;
      yield window;
      window = emptyWindow();
    }
  }
  if (held !== undefined) place(held, undefined);
  yield window;
}

function isAllOf({ documentCount, firstId }: Entry, id: Uint8Array): boolean {
  return documentCount === 1 && firstId.length < firstIdMaxBytes && compareIds(id, firstId) === 0;
}

function emptyWindow(): OpenWindow {
  return { chunks: [], reads: [], sizeBytes: 0 };
}

/** Begins to read what a window needs. */
function readAll(reader: PackReader, { reads }: OpenWindow): void {
  const waiting = stretchesOf(reader, reads);
  const work = async (): Promise<void> => {
    for await (const stretch of waiting) await readStretch(reader, stretch);
  };
  for (let count = 0; count < stretchesAtOnce; count += 1) void work();
}

async function readStretch(reader: PackReader, stretch: readonly Read[]): Promise<void> {
  try {
    const chunks = await reader.readNear(stretch.map(({ entry }) => entry));
    for (const [position, { settle }] of stretch.entries()) settle.resolve(chunks[position] as Uint8Array);
  } catch {
    // One by one: the pack may have been written anew meanwhile, and of a damaged one only what is hurt is to fail. A copy, since a view would hold the whole block.
    for (const { entry, settle } of stretch)
      await reader.read(entry).then((bytes) => settle.resolve(Uint8Array.from(bytes)), settle.reject);
  }
}
