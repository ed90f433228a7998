import type { BlockToSeal, PackIdentity } from "../block.ts";
import { digestLength, type OwnBytes, type Place } from "./jobs.ts";
import { storeThreads } from "./threads.ts";

/** A sealed block: header, ciphertext, tag. */
export interface SealedBlock {
  readonly bytes: Uint8Array;
  readonly sha256: Uint8Array;
}

/** Seals the first `length` bytes of `bytes` as `sealBlock` does, in another thread. The memory is given away and comes back as `bytes`. */
export async function sealApart(
  pack: PackIdentity,
  { bytes, length, ...block }: Omit<BlockToSeal, "plain"> & { readonly bytes: OwnBytes; readonly length: number },
): Promise<{ readonly sealed: SealedBlock; readonly bytes: OwnBytes }> {
  const { id, revision, key } = pack;
  const request = { ...block, pack: { id, revision, key }, bytes, length };
  const answer = await storeThreads.run("seal", request, length, [bytes]);
  return { sealed: { bytes: answer.sealed, sha256: answer.sha256 }, bytes: answer.bytes };
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
  const ids = eachOf(answer.ids, places.length);
  let end = 0;
  return places.map(({ length }, position) => {
    end += length;
    return { bytes: answer.bytes.subarray(end - length, end), id: ids[position] as Uint8Array };
  });
}

/** Ids of the chunks that stand in `bytes` one behind the other, in another thread. The memory is given away and comes back as `bytes`. */
export async function identifyApart(
  key: Uint8Array,
  bytes: OwnBytes,
  ends: readonly number[],
): Promise<{ readonly bytes: OwnBytes; readonly ids: readonly Uint8Array[] }> {
  const answer = await storeThreads.run("identify", { key, bytes, ends }, ends.at(-1) ?? 0, [bytes]);
  return { bytes: answer.bytes, ids: eachOf(answer.ids, ends.length) };
}

/** SHA-256 of the parts that stand in `bytes` one behind the other, in another thread. The memory is given away. */
export async function hashApart(bytes: OwnBytes, ends: readonly number[]): Promise<readonly Uint8Array[]> {
  const { hashes } = await storeThreads.run("hash", { bytes, ends }, bytes.length, [bytes]);
  return eachOf(hashes, ends.length);
}

function eachOf(digests: Uint8Array, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) =>
    digests.subarray(index * digestLength, (index + 1) * digestLength),
  );
}
