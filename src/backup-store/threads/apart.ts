import { type BlockToSeal, type PackIdentity, releaseMemory } from "../block.ts";
import { chunkIdLength } from "../chunk-id.ts";
import type { ExpectedBlock, LentBytes, OwnBytes, Place, Stretch } from "./jobs.ts";
import { storeThreads } from "./threads.ts";

/** Seals the first `length` bytes of `bytes` as `sealBlock` does, in another thread. The memory is lent and comes back as `bytes`. */
export async function sealApart(
  pack: PackIdentity,
  { bytes, length, ...block }: Omit<BlockToSeal, "plain"> & { readonly bytes: LentBytes; readonly length: number },
): Promise<{ readonly sealed: Uint8Array; readonly bytes: LentBytes }> {
  const { id, revision, key } = pack;
  const request = { ...block, pack: { id, revision, key }, bytes, length };
  const answer = await storeThreads.run("seal", request, length, [bytes]);
  return { sealed: answer.sealed, bytes: answer.bytes };
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

/** Parts of a block and their ids as chunks, in another thread: most of a block stays there. */
export async function pickApart(
  { id, revision, key: packKey }: PackIdentity,
  sealed: Uint8Array,
  index: number,
  key: Uint8Array,
  places: readonly Place[],
): Promise<readonly { readonly bytes: Uint8Array; readonly id: Uint8Array }[]> {
  const own = new Uint8Array(sealed);
  const request = { pack: { id, revision, key: packKey }, sealed: own, index, key, places };
  const answer = await storeThreads.run("pick", request, own.length, [own]);
  const ids = idsIn(answer.ids, places.length);
  let end = 0;
  return places.map(({ length }, position) => {
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
