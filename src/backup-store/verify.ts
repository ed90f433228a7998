import { setImmediate as nextTurn } from "node:timers/promises";
import type { BlobEntry } from "../ports/blob-store.ts";
import type { VerifyReport, VerifyRequest } from "../ports/snapshot-repository.ts";
import { announcedLengths, checkObject, type CheckParts } from "./check-object.ts";
import { DamageReport } from "./damage-report.ts";
import { packKeyOf, parsePackKey } from "./entry.ts";
import { HurtFinder } from "./hurt-finder.ts";
import { type Manifest, openManifest, snapshotIdOf } from "./manifest.ts";
import { PackReader } from "./pack-reader.ts";

/** Every pack that is stored, as readers see it. */
export interface KnownPack {
  readonly objectKey: string;
  readonly revision: number;
  /** Plain bytes of each block, 0 for one that cannot be opened. */
  readonly blockLengths: Uint32Array;
}

/** Checks objects, and when all was asked for or something is wrong, walks the trees of all snapshots to tell what is hurt. */
export async function verifyRepository(parts: CheckParts, request: VerifyRequest): Promise<VerifyReport> {
  const { blobs } = parts;
  const { signal, objectKeys, onProgress } = request;
  const entries: BlobEntry[] = [];
  for await (const entry of blobs.list("")) entries.push(entry);
  const report = new DamageReport();
  const packs = new Map<string, KnownPack>();
  const unread: BlobEntry[] = [];
  let objectCount = 0;
  let sizeBytes = 0;
  for (const entry of entries) {
    signal?.throwIfAborted();
    if (objectKeys !== undefined && !objectKeys.has(entry.key)) {
      unread.push(entry);
      continue;
    }
    const checked = await checkObject(parts, entry.key);
    // Deleted since it was listed; whoever needed it is told below.
    if (checked === undefined) continue;
    const { reason, blockLengths } = checked;
    if (reason !== undefined) report.add(entry.key, reason);
    keepPack(packs, entry.key, blockLengths ?? []);
    objectCount += 1;
    sizeBytes += entry.sizeBytes;
    onProgress?.({ objectCount, sizeBytes });
    await nextTurn();
  }
  const stored = new Set(entries.map(({ key }) => key));
  for (const objectKey of objectKeys ?? [])
    if (!stored.has(objectKey)) report.add(objectKey, `${objectKey} is missing`);
  if (objectKeys !== undefined && report.isEmpty) return { objectCount, sizeBytes, snapshotCount: 0, damages: [] };
  for (const { key, sizeBytes: size } of unread) {
    signal?.throwIfAborted();
    if (parsePackKey(key) === undefined) continue;
    const lengths = await announcedLengths(blobs, parts.keys, key, size).catch(() => []);
    keepPack(packs, key, lengths);
  }
  const manifestKeys =
    request.manifestKeys ?? new Set(entries.map(({ key }) => key).filter((key) => key.startsWith("manifests/")));
  await tellHurt(parts, manifestKeys, packs, report, signal);
  return { objectCount, sizeBytes, snapshotCount: manifestKeys.size, damages: report.damages() };
}

/** Readers take the lowest revision. */
function keepPack(packs: Map<string, KnownPack>, objectKey: string, blockLengths: readonly number[]): void {
  const parsed = parsePackKey(objectKey);
  if (parsed === undefined) return;
  const name = packKeyOf(parsed.id);
  const known = packs.get(name);
  if (known !== undefined && known.revision < parsed.revision) return;
  packs.set(name, { objectKey, revision: parsed.revision, blockLengths: Uint32Array.from(blockLengths) });
}

async function tellHurt(
  parts: CheckParts,
  manifestKeys: ReadonlySet<string>,
  packs: ReadonlyMap<string, KnownPack>,
  report: DamageReport,
  signal: AbortSignal | undefined,
): Promise<void> {
  const finder = new HurtFinder(new PackReader(parts.blobs, parts.keys), packs, report, signal);
  for (const manifestKey of manifestKeys) {
    signal?.throwIfAborted();
    let manifest: Manifest;
    try {
      manifest = openManifest(await parts.blobs.get(manifestKey), parts.keys, manifestKey);
    } catch (error) {
      report.lose(
        manifestKey,
        snapshotIdOf(manifestKey) ?? manifestKey,
        `${manifestKey} cannot be read: ${(error as Error).message}`,
      );
      continue;
    }
    await finder.walk(manifestKey, manifest);
  }
}
