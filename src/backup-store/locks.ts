import { type BlobEntry, BlobError, type BlobLock, type BlobStore } from "../ports/blob-store.ts";
import { SnapshotDamaged, type SnapshotLocks } from "../ports/snapshot-repository.ts";
import { ahead } from "../shared/ahead.ts";
import { cataloguePrefix } from "./catalogue.ts";
import { packKeyOf, parsePackKey } from "./entry.ts";
import { formatKey } from "./format-object.ts";
import { slotPrefix } from "./key-slots.ts";
import type { StoreKeys } from "./keys.ts";
import type { Manifest } from "./manifest.ts";
import { coversNeeded } from "./repack.ts";
import { supersededRecords } from "./superseded-records.ts";

export interface LocksParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly readManifest: (manifestKey: string) => Promise<Manifest>;
}

/** Requests at once. */
const atOnce = 8;
/** Objects whose lock is remembered, some ten megabytes; a forgotten one is asked about again. */
const rememberedMax = 100_000;
/** What is locked for this share of the time that a new object is, is left alone. */
const sufficientShare = 0.75;

/** One renewal: until when objects must be locked at least, and until when they are locked if they are not. */
interface Wanted {
  readonly leastMs: number;
  readonly untilMs: number;
  readonly signal: AbortSignal;
  /** Objects that were looked for and are not there. */
  readonly missingKeys: string[];
}

export function createSnapshotLocks(parts: LocksParts, lock: BlobLock): SnapshotLocks {
  const { durationMs } = lock;
  const known = new Map<string, number>();

  const isLocked = (key: string, { leastMs }: Wanted): boolean => (known.get(key) ?? 0) >= leastMs;
  const remember = (key: string, untilMs: number): void => {
    known.delete(key);
    known.set(key, untilMs);
    if (known.size > rememberedMax) known.delete(known.keys().next().value as string);
  };
  const renewOne = async (key: string, wanted: Wanted): Promise<number> => {
    wanted.signal.throwIfAborted();
    if (isLocked(key, wanted)) return 0;
    try {
      const untilMs = (await lock.lockedUntilMs(key)) ?? 0;
      if (untilMs < wanted.leastMs) await lock.extend(key, wanted.untilMs);
      remember(key, Math.max(untilMs, untilMs < wanted.leastMs ? wanted.untilMs : 0));
      return untilMs < wanted.leastMs ? 1 : 0;
    } catch (error) {
      if (!(error instanceof BlobError) || error.code !== "blob_not_found") throw error;
      wanted.missingKeys.push(key);
      return 0;
    }
  };
  const wantedUntil = (keptUntilMs: number, nowMs: number, signal: AbortSignal): Wanted => ({
    leastMs: Math.min(keptUntilMs, nowMs + durationMs * sufficientShare),
    untilMs: Math.min(keptUntilMs, nowMs + durationMs),
    signal,
    missingKeys: [],
  });
  const renewAll = async (keys: AsyncIterable<string> | Iterable<string>, wanted: Wanted): Promise<number> => {
    let renewedCount = 0;
    for await (const renewed of ahead(keys, atOnce - 1, (key) => renewOne(key, wanted))) renewedCount += renewed;
    return renewedCount;
  };

  return {
    durationMs,
    async renew({ manifestKey, keptUntilMs }, nowMs, signal) {
      const wanted = wantedUntil(keptUntilMs, nowMs, signal);
      if (wanted.leastMs <= nowMs) return 0;
      const manifest = await parts.readManifest(manifestKey);
      const packs = await renewAll(
        packKeys(parts, manifest, (key) => isLocked(key, wanted)),
        wanted,
      );
      const others = await renewAll([manifestKey, ...(await recordKeys(parts, manifestKey, manifest))], wanted);
      const [missingKey] = wanted.missingKeys;
      if (missingKey !== undefined) throw new SnapshotDamaged(missingKey, `${missingKey} is missing`);
      return packs + others;
    },
    async renewKeys(nowMs, signal) {
      const keys: string[] = [formatKey];
      for await (const { key } of parts.blobs.list(slotPrefix)) keys.push(key);
      return renewAll(keys, wantedUntil(Number.POSITIVE_INFINITY, nowMs, signal));
    },
  };
}

/** Objects of the packs that the snapshot needs. Those of one earlier snapshot are listed together, since a pack may have been written anew under another revision. */
async function* packKeys(
  parts: LocksParts,
  manifest: Manifest,
  isLocked: (key: string) => boolean,
): AsyncGenerator<string> {
  const unknown = manifest.packIds.map((id) => packKeyOf(id)).filter((key) => !isLocked(key));
  for (const [folder, plainKeys] of Map.groupBy(unknown, (key) => key.slice(0, key.lastIndexOf("/") + 1))) {
    const stored: BlobEntry[] = [];
    for await (const entry of parts.blobs.list(folder)) stored.push(entry);
    const byPack = Map.groupBy(stored, ({ key }) => {
      const id = parsePackKey(key)?.id;
      return id === undefined ? "" : packKeyOf(id);
    });
    for (const plainKey of plainKeys) yield* await revisionsNeeded(parts, manifest, plainKey, byPack.get(plainKey));
  }
}

/** The newest revision when it has all that the snapshot needs of the pack, since garbage collection deletes the older ones then, and all of them when it has not. */
async function revisionsNeeded(
  parts: LocksParts,
  manifest: Manifest,
  plainKey: string,
  revisions: readonly BlobEntry[] | undefined,
): Promise<readonly string[]> {
  const [newest, ...older] = (revisions ?? []).toSorted((one, other) => revisionOf(other) - revisionOf(one));
  // Asked about, so that it is told as missing, and the others are seen to all the same.
  if (newest === undefined) return [plainKey];
  if (older.length === 0 || (await coversNeeded(parts, newest, [manifest]))) return [newest.key];
  return [newest.key, ...older.map(({ key }) => key)];
}

function revisionOf({ key }: BlobEntry): number {
  return parsePackKey(key)?.revision ?? 0;
}

/** The newest copy of the snapshot's record; older ones are garbage. */
async function recordKeys(
  parts: LocksParts,
  manifestKey: string,
  { snapshotId }: Manifest,
): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of parts.blobs.list(`${cataloguePrefix}${snapshotId}/`)) keys.push(key);
  const superseded = await supersededRecords(parts, keys, ({ snapshot }) => snapshot.manifestKey === manifestKey);
  return keys.filter((key) => !superseded.has(key));
}
