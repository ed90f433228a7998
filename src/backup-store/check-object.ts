import { BlobError, type BlobStore } from "../ports/blob-store.ts";
import { ahead } from "../shared/ahead.ts";
import {
  blockHeaderLength,
  openBlock,
  packEnd,
  packEndLength,
  packHeader,
  packHeaderLength,
  readBlockHeader,
  releaseMemory,
  trailerIndex,
} from "./block.ts";
import { cataloguePrefix, readCatalogueRecord } from "./catalogue.ts";
import { parsePackKey } from "./entry.ts";
import { formatKey, formatText } from "./format-object.ts";
import { parseSlot } from "./key-slot.ts";
import type { StoreKeys } from "./keys.ts";
import { openManifest } from "./manifest.ts";
import { marksPrefix, readMark } from "./marks.ts";
import { layoutOf, type PackLayout } from "./pack-reader.ts";
import { measureApart } from "./threads/apart.ts";
import type { BlockPlace, Stretch } from "./threads/jobs.ts";
import { threadsMax } from "./threads/threads.ts";

/** Stored bytes of blocks of a pack that are opened at once, and how many times as many are being opened behind those. */
const groupBytes = 524_288;
const groupsAhead = threadsMax * 2;

export interface CheckParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly repositoryId: Uint8Array;
}

/** What reading all of an object told. */
export interface CheckedObject {
  /** One sentence when it is not what was written. */
  readonly reason: string | undefined;
  /** Of a pack: plain bytes of each block, 0 for one that cannot be opened. */
  readonly blockLengths?: readonly number[];
}

/** Reads and authenticates every byte of an object; undefined when it is not there. Throws only when the store cannot be asked. */
export async function checkObject(parts: CheckParts, objectKey: string): Promise<CheckedObject | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await parts.blobs.get(objectKey);
  } catch (error) {
    if (error instanceof BlobError && error.code === "blob_not_found") return undefined;
    throw error;
  }
  try {
    if (parsePackKey(objectKey) !== undefined) return await checkPack(parts, objectKey, bytes);
    await checkWhole(parts, objectKey, bytes);
    return { reason: undefined };
  } catch (error) {
    return { reason: `${objectKey} cannot be read: ${(error as Error).message}` };
  } finally {
    releaseMemory(bytes);
  }
}

async function checkWhole(parts: CheckParts, objectKey: string, bytes: Uint8Array): Promise<void> {
  if (objectKey === formatKey) {
    if (Buffer.from(bytes).toString("latin1") !== formatText(parts.repositoryId))
      throw new Error("it does not say what stands here");
  } else if (objectKey.startsWith("keys/")) await checkSlot(parts.blobs, objectKey, bytes);
  else if (objectKey.startsWith("manifests/")) openManifest(bytes, parts.keys, objectKey);
  else if (objectKey.startsWith(cataloguePrefix)) await readCatalogueRecord(parts, objectKey);
  else if (objectKey.startsWith(marksPrefix)) await readMark(parts, objectKey);
}

/** Only the secret's owner could open it, but both copies must be slots, and the same. */
async function checkSlot(blobs: BlobStore, objectKey: string, bytes: Uint8Array): Promise<void> {
  parseSlot(bytes);
  const twin = objectKey.endsWith(".1") ? objectKey.replace(/1$/, "2") : objectKey.replace(/2$/, "1");
  const found = await blobs.get(twin);
  try {
    parseSlot(found);
  } catch {
    // The twin is what is damaged, and is told about by itself.
    return;
  }
  if (!Buffer.from(found).equals(bytes)) throw new Error("its two copies differ, and one of them is damaged");
}

async function checkPack({ blobs, keys }: CheckParts, objectKey: string, stored: Uint8Array): Promise<CheckedObject> {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const inMemory: BlobStore = { ...blobs, getRange: async (_key, offset, length) => rangeOf(bytes, offset, length) };
  const layout = await layoutOf(inMemory, keys, { key: objectKey, sizeBytes: bytes.length });
  const problems: string[] = [];
  if (!packHeader(layout).equals(bytes.subarray(0, packHeaderLength)))
    problems.push("its beginning is not that of the pack");
  const blockLengths: number[] = [];
  const opened = ahead(groupsOf(layout), groupsAhead, ({ blocks, start, end }) =>
    measureApart(layout, bytes.subarray(start, end), blocks),
  );
  for await (const lengths of opened) {
    for (const length of lengths) {
      if (length === undefined)
        problems.push(`block ${blockLengths.length}: ${reasonOf(layout, bytes, blockLengths.length)}`);
      blockLengths.push(length ?? 0);
    }
  }
  const last = layout.starts.length - 1;
  const trailerStart = last < 0 ? packHeaderLength : (layout.starts[last] as number) + (layout.sizes[last] as number);
  try {
    const trailer = bytes.subarray(trailerStart, bytes.length - packEndLength);
    const table = openBlock(layout, trailer, trailerIndex);
    if (table.length !== layout.sizes.length * 4) throw new Error("it tells another number of blocks");
    if (!packEnd(trailer.length).equals(bytes.subarray(bytes.length - packEndLength)))
      throw new Error("the end is wrong");
  } catch (error) {
    problems.push(`its trailer: ${(error as Error).message}`);
  }
  const reason = problems.length === 0 ? undefined : `${objectKey}: ${problems.slice(0, 5).join("; ")}`;
  return { reason, blockLengths };
}

/** Why a block cannot be opened. */
function reasonOf(layout: PackLayout, bytes: Uint8Array, index: number): string {
  const start = layout.starts[index] as number;
  try {
    releaseMemory(openBlock(layout, bytes.subarray(start, start + (layout.sizes[index] as number)), index));
    return "it could not be opened at first";
  } catch (error) {
    return (error as Error).message;
  }
}

interface BlockGroup extends Stretch {
  readonly blocks: readonly BlockPlace[];
}

/** Blocks of a pack that are opened together, with their places among those. */
function* groupsOf({ starts, sizes }: PackLayout): Generator<BlockGroup> {
  let blocks: BlockPlace[] = [];
  let start = starts[0] ?? 0;
  let end = start;
  for (const [index, from] of starts.entries()) {
    end = from + (sizes[index] as number);
    blocks.push({ index, start: from - start, end: end - start });
    if (end - start < groupBytes) continue;
    yield { blocks, start, end };
    blocks = [];
    start = end;
  }
  if (blocks.length > 0) yield { blocks, start, end };
}

function rangeOf(bytes: Buffer, offset: number, length: number): Buffer {
  if (offset < 0 || offset + length > bytes.length) throw new Error("it is cut short");
  return bytes.subarray(offset, offset + length);
}

/** Plain lengths of a pack's blocks from its headers alone, for a pack that is not read as a whole. */
export async function announcedLengths(
  blobs: BlobStore,
  keys: StoreKeys,
  objectKey: string,
  sizeBytes: number,
): Promise<readonly number[]> {
  const layout = await layoutOf(blobs, keys, { key: objectKey, sizeBytes });
  const lengths: number[] = [];
  for (const start of layout.starts) {
    const header = await blobs.getRange(objectKey, start, blockHeaderLength);
    lengths.push(readBlockHeader(header)?.plainLength ?? 0);
  }
  return lengths;
}
