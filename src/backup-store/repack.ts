import type { BlobEntry, BlobStore } from "../ports/blob-store.ts";
import { readBlockHeader } from "./block.ts";
import { type Entry, packKeyOf, parsePackKey } from "./entry.ts";
import type { StoreKeys } from "./keys.ts";
import type { Manifest } from "./manifest.ts";
import { layoutOf, type PackLayout, PackReader, readLayout } from "./pack-reader.ts";
import { confirmPack, putPack } from "./pack-object.ts";
import { openApart, sealApart } from "./threads/apart.ts";
import { chunksOf } from "./tree.ts";

export interface RepackParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface Repacked {
  readonly packCount: number;
  readonly savedSizeBytes: number;
}

/** A pack is written anew when less of it is needed. */
const neededShareMax = 0.5;
/** Packs whose needed parts are collected in one walk over the snapshots. */
const packsInOneWalk = 8;
const revisionMax = 65_535;

type NeededPart = Pick<Entry, "blockIndex" | "offset" | "length" | "id">;
/** What is needed of a pack, by place. */
type NeededParts = Map<string, NeededPart>;

/**
 * Writes mostly dead packs anew under their next revision: needed bytes stay where they were, the rest becomes zeros, which compress to nothing. No manifest changes. The
 * older revision is then garbage like any other, once the new one is proven to hold all that is needed.
 */
export async function repackMostlyDead(
  parts: RepackParts,
  manifests: readonly Manifest[],
  inProgress: ReadonlySet<string>,
  repacksMax: number,
  signal: AbortSignal | undefined,
): Promise<Repacked> {
  const needed = await largestNeeds(parts, manifests, signal);
  const candidates: { readonly layout: PackLayout; readonly share: number }[] = [];
  for (const [name, bytes] of needed) {
    signal?.throwIfAborted();
    const packId = Buffer.from(name, "latin1");
    if (inProgress.has(packId.subarray(0, 12).toString("hex"))) continue;
    const layout = await readLayout(parts.blobs, parts.keys, packId);
    // Documents compress; so their plain bytes against stored ones only find packs of which very little is needed, the walk below is exact.
    const share = bytes / layout.sizeBytes;
    const isWaiting = (await parts.blobs.stat(packKeyOf(packId, layout.revision + 1))) !== undefined;
    if (!isWaiting && layout.revision < revisionMax) candidates.push({ layout, share });
  }
  const chosen = candidates
    .toSorted((one, other) => one.share - other.share)
    .slice(0, Math.max(packsInOneWalk, repacksMax));
  let packCount = 0;
  let savedSizeBytes = 0;
  for (let start = 0; start < chosen.length && packCount < repacksMax; start += packsInOneWalk) {
    const group = chosen.slice(start, start + packsInOneWalk).map(({ layout }) => layout);
    const partsNeeded = await collectNeeds(parts, manifests, new Set(group.map(({ id }) => nameOf(id))), signal);
    for (const layout of group) {
      if (packCount >= repacksMax) break;
      const saved = await repack(parts, layout, partsNeeded.get(nameOf(layout.id)) ?? new Map());
      if (saved === undefined) continue;
      packCount += 1;
      savedSizeBytes += saved;
    }
  }
  return { packCount, savedSizeBytes };
}

/** Whether a revision of a pack holds every byte that the snapshots need of the pack. */
export async function coversNeeded(
  parts: RepackParts,
  entry: BlobEntry,
  manifests: readonly Manifest[],
): Promise<boolean> {
  const parsed = parsePackKey(entry.key);
  if (parsed === undefined) return false;
  const needed = await collectNeeds(parts, manifests, new Set([nameOf(parsed.id)]), undefined);
  try {
    const layout = await layoutOf(parts.blobs, parts.keys, entry);
    let last: { readonly index: number; readonly bytes: Uint8Array } | undefined;
    for (const part of needed.get(nameOf(parsed.id))?.values() ?? []) {
      if (last?.index !== part.blockIndex)
        last = { index: part.blockIndex, bytes: (await readBlock(parts.blobs, layout, part.blockIndex)).bytes };
      const bytes = last.bytes.subarray(part.offset, part.offset + part.length);
      if (!parts.keys.chunkId(bytes).equals(part.id)) return false;
    }
    return true;
  } catch {
    // One that cannot be read covers nothing, and the older revision stays.
    return false;
  }
}

/** The most that any one snapshot needs of each pack, plain bytes, by the pack's name. */
async function largestNeeds(
  { blobs, keys }: RepackParts,
  manifests: readonly Manifest[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const largest = new Map<string, number>();
  for (const manifest of manifests) {
    const ofThis = new Map<string, number>();
    await eachPart(new PackReader(blobs, keys), manifest, signal, (entry) => {
      const name = nameOf(entry.packId);
      ofThis.set(name, (ofThis.get(name) ?? 0) + entry.length);
    });
    for (const [name, bytes] of ofThis) largest.set(name, Math.max(bytes, largest.get(name) ?? 0));
  }
  return largest;
}

async function collectNeeds(
  { blobs, keys }: RepackParts,
  manifests: readonly Manifest[],
  packs: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, NeededParts>> {
  const found = new Map<string, NeededParts>();
  for (const manifest of manifests) {
    if (!manifest.packIds.some((packId) => packs.has(nameOf(packId)))) continue;
    await eachPart(new PackReader(blobs, keys), manifest, signal, (entry) => {
      const name = nameOf(entry.packId);
      if (!packs.has(name)) return;
      const needed: NeededParts = found.get(name) ?? new Map();
      needed.set(`${entry.blockIndex}/${entry.offset}/${entry.length}`, {
        blockIndex: entry.blockIndex,
        offset: entry.offset,
        length: entry.length,
        // A copy: the entry's own would keep its whole page.
        id: Uint8Array.from(entry.id),
      });
      found.set(name, needed);
    });
  }
  for (const [name, needed] of found)
    found.set(name, new Map([...needed].toSorted(([, one], [, other]) => one.blockIndex - other.blockIndex)));
  return found;
}

/** Every chunk and page of a snapshot. */
async function eachPart(
  reader: PackReader,
  manifest: Manifest,
  signal: AbortSignal | undefined,
  take: (entry: Entry) => void,
): Promise<void> {
  for (const { tree } of manifest.collections) {
    for await (const chunk of chunksOf(reader, tree, take)) {
      signal?.throwIfAborted();
      take(chunk);
    }
  }
}

/** Answers the bytes that the new revision is smaller; undefined when too much is needed still. */
async function repack(parts: RepackParts, layout: PackLayout, needed: NeededParts): Promise<number | undefined> {
  const byBlock = Map.groupBy(needed.values(), ({ blockIndex }) => blockIndex);
  const next = { id: layout.id, key: layout.key, revision: layout.revision + 1 };
  const blocks: Uint8Array[] = [];
  let plainBytes = 0;
  let neededBytes = 0;
  for (const index of layout.sizes.keys()) {
    const { bytes: old, content } = await readBlock(parts.blobs, layout, index);
    const plain = new Uint8Array(byBlock.has(index) ? old.length : 0);
    for (const { offset, length } of byBlock.get(index) ?? []) {
      plain.set(old.subarray(offset, offset + length), offset);
      neededBytes += length;
    }
    plainBytes += old.length;
    const nonce = parts.randomBytes(12);
    blocks.push((await sealApart(next, { bytes: plain, length: plain.length, index, content, nonce })).sealed);
  }
  if (neededBytes > plainBytes * neededShareMax) return undefined;
  const written = await putPack(parts, next, blocks);
  await confirmPack(parts.blobs, written);
  return Math.max(0, layout.sizeBytes - written.sizeBytes);
}

async function readBlock(
  blobs: BlobStore,
  layout: PackLayout,
  index: number,
): Promise<{ readonly bytes: Uint8Array; readonly content: number }> {
  const start = layout.starts[index];
  if (start === undefined) throw new Error(`${layout.objectKey} has no block ${index}`);
  const sealed = await blobs.getRange(layout.objectKey, start, layout.sizes[index] as number);
  const bytes = await openApart(layout, sealed, index);
  return { bytes, content: readBlockHeader(sealed)?.content ?? 0 };
}

function nameOf(packId: Uint8Array): string {
  return Buffer.from(packId.buffer, packId.byteOffset, packId.length).toString("latin1");
}
