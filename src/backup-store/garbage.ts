import { BlobError, type BlobEntry, type BlobStore } from "../ports/blob-store.ts";
import type { GarbageReport, GarbageRequest } from "../ports/snapshot-repository.ts";
import { supersededRecords } from "./superseded-records.ts";
import { packKeyOf, parsePackKey } from "./entry.ts";
import { type Deleted, deleteUnlocked } from "./garbage-deletion.ts";
import type { StoreKeys } from "./keys.ts";
import { type Manifest, snapshotIdOf } from "./manifest.ts";
import { marksPrefix, putMark, readMark } from "./marks.ts";
import { coversNeeded, repackMostlyDead } from "./repack.ts";

export interface GarbageParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly readManifest: (manifestKey: string) => Promise<Manifest>;
}

const deletionsDefault = 10_000;
/** When what the store keeps locked is asked about again. */
const lockedRetryMs = 86_400_000;
const prefixes = ["catalogue/", "manifests/", "packs/"] as const;

/** What must stay, asked anew each time. */
interface Needed {
  readonly keys: ReadonlySet<string>;
  readonly manifests: readonly Manifest[];
  readonly inProgress: ReadonlySet<string>;
  readonly unknown: ReadonlySet<string>;
}

/**
 * Marks what no snapshot needs, and deletes what was marked at least `graceMs` ago and is still needed by nobody. What is needed is asked before candidates are chosen and
 * again right before they are deleted. Any listing or manifest that cannot be read ends it with nothing deleted: a failure to look must never be read as "nothing there".
 */
export async function collectGarbage(parts: GarbageParts, request: GarbageRequest): Promise<GarbageReport> {
  const { blobs } = parts;
  const { nowMs, graceMs, dryRun = false, signal } = request;
  const stored = await list(blobs);
  const needed = await findNeeded(parts, request, stored);
  const candidates = await unneeded(parts, stored, needed, stored);
  const marks = await readMarks(parts, nowMs);
  const dueAtMs = (key: string): number => (marks.markedAtMs.get(key) ?? nowMs) + graceMs;
  const due = candidates.filter(({ key }) => marks.markedAtMs.has(key) && dueAtMs(key) <= nowMs);
  const fresh = candidates.filter(({ key }) => !marks.markedAtMs.has(key));
  if (fresh.length > 0 && !dryRun) await putMark(parts, { markedAtMs: nowMs, objectKeys: fresh.map(({ key }) => key) });
  // With no grace what is marked now may go now; it has been asked about twice all the same.
  const ready = graceMs === 0 ? candidates : due;
  let deleted: Deleted = { gone: new Set(), goneSizeBytes: 0, locked: new Set(), lockedSizeBytes: 0 };
  if (ready.length > 0) {
    const confirmed = await unneeded(parts, ready, await findNeeded(parts, request, stored), stored);
    const limits = { deletionsMax: request.deletionsMax ?? deletionsDefault, dryRun, signal };
    deleted = await deleteUnlocked(parts, confirmed.toSorted(recordsFirst), stored, limits);
  }
  const { gone, locked } = deleted;
  const waiting = candidates.filter(({ key }) => !gone.has(key));
  if (!dryRun) await dropMarks(blobs, marks.objects, new Set(waiting.map(({ key }) => key)));
  const repacksMax = dryRun ? 0 : (request.repacksMax ?? 0);
  const repacked =
    repacksMax === 0
      ? { packCount: 0, savedSizeBytes: 0 }
      : await repackMostlyDead(parts, needed.manifests, needed.inProgress, repacksMax, signal);
  return {
    deletedObjectCount: gone.size,
    deletedSizeBytes: deleted.goneSizeBytes,
    lockedObjectCount: locked.size,
    lockedSizeBytes: deleted.lockedSizeBytes,
    waitingObjectCount: waiting.length,
    waitingSizeBytes: waiting.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    nextAtMs:
      waiting.length === 0
        ? undefined
        : waiting.reduce(
            (soonest, { key }) => Math.min(soonest, locked.has(key) ? nowMs + lockedRetryMs : dueAtMs(key)),
            Number.POSITIVE_INFINITY,
          ),
    unknownSnapshotIds: [...needed.unknown],
    repackedPackCount: repacked.packCount,
    repackedSizeBytes: repacked.savedSizeBytes,
  };
}

async function list(blobs: BlobStore): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for (const prefix of prefixes) for await (const entry of blobs.list(prefix)) entries.push(entry);
  return entries;
}

async function findNeeded(
  { readManifest }: GarbageParts,
  request: GarbageRequest,
  stored: readonly BlobEntry[],
): Promise<Needed> {
  // In this order: a snapshot that completes in between is in one of the two.
  const inProgress = await request.snapshotIdsInProgress();
  const live = new Set(await request.liveManifestKeys());
  const unknown = await unknownSnapshots(request, stored);
  for (const { key } of stored) if (key.startsWith("manifests/") && unknown.has(snapshotIdOf(key) ?? "")) live.add(key);
  const keys = new Set<string>(live);
  const manifests: Manifest[] = [];
  for (const manifestKey of live) {
    const manifest = await readManifest(manifestKey);
    manifests.push(manifest);
    for (const packId of manifest.packIds) keys.add(packKeyOf(packId));
  }
  return { keys, manifests, inProgress, unknown };
}

/** Snapshots that were completed (the store has their record) and that the metadata has never heard of. */
async function unknownSnapshots(request: GarbageRequest, stored: readonly BlobEntry[]): Promise<ReadonlySet<string>> {
  const recorded = stored.filter(({ key }) => key.startsWith("catalogue/")).map(({ key }) => snapshotIdOf(key));
  return request.neverKnown([...new Set(recorded.filter((id) => id !== undefined))]);
}

/** Of `entries`, those that nothing needs; `all` is everything that is stored. */
async function unneeded(
  parts: GarbageParts,
  entries: readonly BlobEntry[],
  needed: Needed,
  all: readonly BlobEntry[],
): Promise<BlobEntry[]> {
  const liveIds = new Set(needed.manifests.map(({ snapshotId }) => snapshotId));
  const found: BlobEntry[] = [];
  const records = all.map(({ key }) => key).filter((key) => key.startsWith("catalogue/"));
  const superseded = await supersededRecords(parts, records, ({ snapshot }) =>
    needed.keys.has(snapshot.manifestKey ?? ""),
  );
  for (const entry of entries) {
    const { key } = entry;
    const ownerId = key.split("/")[1] ?? "";
    if (needed.inProgress.has(ownerId) || needed.unknown.has(ownerId)) continue;
    if (key.startsWith("catalogue/")) {
      if (!liveIds.has(ownerId) || superseded.has(key)) found.push(entry);
      continue;
    }
    const pack = parsePackKey(key);
    if (pack === undefined) {
      // What is neither pack nor manifest is not ours to delete.
      if (snapshotIdOf(key) !== undefined && !needed.keys.has(key)) found.push(entry);
    } else if (!needed.keys.has(packKeyOf(pack.id)) || (await isSuperseded(parts, entry, needed))) found.push(entry);
  }
  return found;
}

/** Whether a later revision of the pack holds everything that is needed of it, proven by reading it. */
async function isSuperseded(parts: GarbageParts, { key }: BlobEntry, needed: Needed): Promise<boolean> {
  const pack = parsePackKey(key);
  if (pack === undefined) return false;
  for (let revision = pack.revision + 1; ; revision += 1) {
    const next = await parts.blobs.stat(packKeyOf(pack.id, revision));
    if (next === undefined) return false;
    if (await coversNeeded(parts, next, needed.manifests)) return true;
  }
}

/** Records, then manifests, then packs: whoever is interrupted leaves no record of what cannot be restored, and no manifest without its packs. */
function recordsFirst(one: BlobEntry, other: BlobEntry): number {
  const rank = ({ key }: BlobEntry): number => prefixes.findIndex((prefix) => key.startsWith(prefix));
  return rank(one) - rank(other);
}

interface Marks {
  /** When each object was first found unneeded. */
  readonly markedAtMs: ReadonlyMap<string, number>;
  readonly objects: ReadonlyMap<string, readonly string[]>;
}

async function readMarks(parts: GarbageParts, nowMs: number): Promise<Marks> {
  const markedAtMs = new Map<string, number>();
  const objects = new Map<string, readonly string[]>();
  for await (const { key } of parts.blobs.list(marksPrefix)) {
    const mark = await readMark(parts, key).catch((error: unknown) => {
      if (error instanceof BlobError && error.code !== "blob_not_found") throw error;
      // A mark that is damaged or gone only means that its objects wait once more.
      return { markedAtMs: nowMs, objectKeys: [] };
    });
    // A mark from the future was made before the clock was set back; it counts as made now, until the clock has caught up.
    const atMs = Math.min(mark.markedAtMs, nowMs);
    objects.set(key, mark.objectKeys);
    for (const objectKey of mark.objectKeys)
      markedAtMs.set(objectKey, Math.min(atMs, markedAtMs.get(objectKey) ?? atMs));
  }
  return { markedAtMs, objects };
}

/** Marks of which nothing waits any more. */
async function dropMarks(
  blobs: BlobStore,
  marks: ReadonlyMap<string, readonly string[]>,
  waiting: ReadonlySet<string>,
): Promise<void> {
  for (const [key, objectKeys] of marks)
    if (!objectKeys.some((objectKey) => waiting.has(objectKey)))
      await blobs.delete(key).catch((error: unknown) => {
        // A bucket may lock whatever is put into it; then the mark stays, which says nothing that is not so.
        if (!(error instanceof BlobError) || error.code !== "blob_locked") throw error;
      });
}
