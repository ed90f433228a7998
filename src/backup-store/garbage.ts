import type { BlobEntry, BlobStore } from "../ports/blob-store.ts";
import type { GarbageReport, GarbageRequest } from "../ports/snapshot-repository.ts";
import { packKeyOf } from "./entry.ts";
import type { Manifest } from "./manifest.ts";

/**
 * Deletes packs and manifests that no live snapshot needs. What is live is asked twice: before candidates are chosen, and again right before they are deleted. Any
 * listing or manifest that cannot be read ends it with nothing deleted: a failure to look must never be read as "nothing there".
 */
export async function collectGarbage(
  blobs: BlobStore,
  readManifest: (manifestKey: string) => Promise<Manifest>,
  request: GarbageRequest,
): Promise<GarbageReport> {
  const stored = await list(blobs);
  const candidates = await unneeded(stored, readManifest, request);
  if (candidates.length === 0) return { deletedObjectCount: 0, deletedSizeBytes: 0 };
  const confirmed = await unneeded(candidates, readManifest, request);
  let deletedSizeBytes = 0;
  // Manifests go first: a manifest whose packs are gone would be damage, packs without a manifest are only garbage.
  for (const entry of confirmed.toSorted((one, other) => Number(isPack(one)) - Number(isPack(other)))) {
    await blobs.delete(entry.key);
    deletedSizeBytes += entry.sizeBytes;
  }
  return { deletedObjectCount: confirmed.length, deletedSizeBytes };
}

async function list(blobs: BlobStore): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for (const prefix of ["manifests/", "packs/"]) for await (const entry of blobs.list(prefix)) entries.push(entry);
  return entries;
}

async function unneeded(
  entries: readonly BlobEntry[],
  readManifest: (manifestKey: string) => Promise<Manifest>,
  request: GarbageRequest,
): Promise<BlobEntry[]> {
  // In this order: a snapshot that completes in between is in one of the two.
  const inProgress = await request.snapshotIdsInProgress();
  const live = await request.liveManifestKeys();
  const needed = new Set<string>(live);
  for (const manifestKey of live)
    for (const packId of (await readManifest(manifestKey)).packIds) needed.add(packKeyOf(packId));
  return entries.filter(({ key }) => !needed.has(key) && !inProgress.has(key.split("/")[1] ?? ""));
}

function isPack(entry: BlobEntry): boolean {
  return entry.key.startsWith("packs/");
}
