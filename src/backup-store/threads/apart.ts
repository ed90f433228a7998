import { type BlockToSeal, type PackIdentity, readBlockHeader, releaseMemory } from "../block.ts";
import { chunkIdLength } from "../chunk-id.ts";
import {
  type BlockParts,
  type BlockPlace,
  type ExpectedBlock,
  type LentBytes,
  notOpened,
  owned,
  type OwnBytes,
  type Stretch,
  type StretchToSeal,
} from "./jobs.ts";
import { storeThreads } from "./threads.ts";

/** Seals the first `length` bytes of `bytes` as `sealBlock` does, in another thread. The memory is lent and comes back as `bytes`. */
export async function sealApart(
  pack: PackIdentity,
  { bytes, length, index, content, nonce }: Omit<BlockToSeal, "plain"> & ToSeal,
): Promise<{ readonly sealed: Uint8Array; readonly bytes: LentBytes }> {
  const answer = await sealAllApart(pack, bytes, content, [{ start: 0, end: length, index, nonce }]);
  return { sealed: answer.sealed[0] as Uint8Array, bytes: answer.bytes };
}

interface ToSeal {
  readonly bytes: LentBytes;
  readonly length: number;
}

/** The same of several blocks that stand one behind the other in `bytes`. The sealed ones share memory. */
export async function sealAllApart(
  { id, revision, key }: PackIdentity,
  bytes: LentBytes,
  content: number,
  blocks: readonly StretchToSeal[],
): Promise<{ readonly sealed: readonly Uint8Array[]; readonly bytes: LentBytes }> {
  const request = { pack: { id, revision, key }, bytes, blocks, content };
  const answer = await storeThreads.run("seal", request, blocks.at(-1)?.end ?? 0, [bytes]);
  let end = 0;
  const sealed = blocks.map(() => {
    const start = end;
    end += readBlockHeader(answer.sealed.subarray(start))?.sizeBytes ?? 0;
    return answer.sealed.subarray(start, end);
  });
  return { sealed, bytes: answer.bytes };
}

/** Opens a block as `openBlock` does, in another thread. */
export async function openApart(
  { id, revision, key }: PackIdentity,
  sealed: Uint8Array,
  index: number,
): Promise<Uint8Array> {
  const own = new Uint8Array(sealed);
  const { plain } = await storeThreads.run("open", { pack: { id, revision, key }, sealed: own, index }, own.length, [
    own,
  ]);
  return plain;
}

/** How many plain bytes each of some blocks has that stand in `sealed`, found out in another thread; undefined for one that cannot be opened. */
export async function measureApart(
  { id, revision, key }: PackIdentity,
  sealed: Uint8Array,
  blocks: readonly BlockPlace[],
): Promise<readonly (number | undefined)[]> {
  const own = new Uint8Array(sealed);
  const request = { pack: { id, revision, key }, sealed: own, blocks };
  const { lengths } = await storeThreads.run("measure", request, own.length, [own]);
  const view = new DataView(lengths.buffer, lengths.byteOffset);
  return blocks.map((_, position) => {
    const length = view.getUint32(position * 4, true);
    return length === notOpened ? undefined : length;
  });
}

/** Parts of blocks of a pack and their ids as chunks, in another thread: most of the blocks stays there. `sealed`, in which the blocks stand, is given away when it has memory of its own. */
export async function pickApart(
  { id, revision, key: packKey }: PackIdentity,
  sealed: Uint8Array,
  blocks: readonly BlockParts[],
  key: Uint8Array,
): Promise<readonly { readonly bytes: Uint8Array; readonly id: Uint8Array }[]> {
  const own = owned(sealed);
  const request = { pack: { id, revision, key: packKey }, sealed: own, blocks, key };
  const answer = await storeThreads.run("pick", request, own.length, [own]);
  const lengths = blocks.flatMap(({ places }) => places.map(({ length }) => length));
  const ids = idsIn(answer.ids, lengths.length);
  let end = 0;
  return lengths.map((length, position) => {
    end += length;
    return { bytes: answer.bytes.subarray(end - length, end), id: ids[position] as Uint8Array };
  });
}

/**
 * Ids of the chunks that stand in `bytes`, computed in another thread. The memory is lent and comes back as `bytes`. With `hasRoom` each chunk has `hashBlockLength` bytes to spare
 * before it, which are overwritten; it is quicker so.
 */
export async function identifyApart(
  key: Uint8Array,
  bytes: LentBytes,
  chunks: readonly Stretch[],
  { hasRoom }: { readonly hasRoom: boolean },
): Promise<{ readonly bytes: LentBytes; readonly ids: readonly Uint8Array[] }> {
  const answer = await storeThreads.run("identify", { key, bytes, chunks, hasRoom }, chunks.at(-1)?.end ?? 0, [bytes]);
  return { bytes: answer.bytes, ids: idsIn(answer.ids, chunks.length) };
}

/** Whether the blocks that stand in `bytes` are those that were sealed for a pack, found out in another thread. The memory is given away, and not kept. */
export async function confirmApart(
  { id, revision, key }: PackIdentity,
  bytes: OwnBytes,
  blocks: readonly ExpectedBlock[],
): Promise<boolean> {
  const request = { pack: { id, revision, key }, bytes, blocks };
  const answer = await storeThreads.run("confirm", request, bytes.length, [bytes]);
  releaseMemory(answer.bytes);
  return answer.same.every((same) => same === 1);
}

function idsIn(bytes: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * chunkIdLength, (index + 1) * chunkIdLength),
  );
}
