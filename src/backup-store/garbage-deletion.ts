import { BlobError, type BlobEntry, type BlobStore } from "../ports/blob-store.ts";
import { packKeyOf, parsePackKey } from "./entry.ts";
import { type Manifest, snapshotIdOf } from "./manifest.ts";

export interface DeletionParts {
  readonly blobs: BlobStore;
  readonly readManifest: (manifestKey: string) => Promise<Manifest>;
}

export interface DeletionLimits {
  readonly deletionsMax: number;
  /** Deletes nothing, and answers as if it had. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

export interface Deleted {
  readonly gone: ReadonlySet<string>;
  readonly goneSizeBytes: number;
  /** What the store keeps locked, and what stays with it. */
  readonly locked: ReadonlySet<string>;
  readonly lockedSizeBytes: number;
}

/**
 * Deletes `entries`, which stand with records first, then manifests, then packs. A store may keep some of them locked: they stay, and so does what their snapshot consists of, so that
 * no record is left of a snapshot that cannot be restored. `stored` is everything that is stored.
 */
export async function deleteUnlocked(
  { blobs, readManifest }: DeletionParts,
  entries: readonly BlobEntry[],
  stored: readonly BlobEntry[],
  { deletionsMax, dryRun, signal }: DeletionLimits,
): Promise<Deleted> {
  const gone = new Set<string>();
  const locked = new Set<string>();
  const lockedSnapshotIds = new Set<string>();
  let goneSizeBytes = 0;
  let lockedSizeBytes = 0;
  let lockedPacks: ReadonlySet<string> | undefined;

  const staysWithLocked = async (key: string): Promise<boolean> => {
    const pack = parsePackKey(key);
    if (pack === undefined) return lockedSnapshotIds.has(snapshotIdOf(key) ?? "");
    // Packs come last: what their snapshots' records and manifests met is known by now.
    lockedPacks ??= await packsOf(readManifest, stored, lockedSnapshotIds);
    return lockedPacks.has(packKeyOf(pack.id));
  };

  for (const { key, sizeBytes } of entries) {
    if (gone.size >= deletionsMax) break;
    signal?.throwIfAborted();
    const isLocked = (await staysWithLocked(key)) || (!dryRun && (await isRefused(blobs, key)));
    if (isLocked) {
      locked.add(key);
      lockedSizeBytes += sizeBytes;
      const snapshotId = parsePackKey(key) === undefined ? snapshotIdOf(key) : undefined;
      if (snapshotId !== undefined) lockedSnapshotIds.add(snapshotId);
    } else {
      gone.add(key);
      goneSizeBytes += sizeBytes;
    }
  }
  return { gone, goneSizeBytes, locked, lockedSizeBytes };
}

/** Deletes; answers whether the store refused it. */
async function isRefused(blobs: BlobStore, key: string): Promise<boolean> {
  try {
    await blobs.delete(key);
    return false;
  } catch (error) {
    if (error instanceof BlobError && error.code === "blob_locked") return true;
    throw error;
  }
}

async function packsOf(
  readManifest: DeletionParts["readManifest"],
  stored: readonly BlobEntry[],
  snapshotIds: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const { key } of stored) {
    if (!key.startsWith("manifests/") || !snapshotIds.has(snapshotIdOf(key) ?? "")) continue;
    for (const packId of (await readManifest(key)).packIds) keys.add(packKeyOf(packId));
  }
  return keys;
}
