import { timingSafeEqual } from "node:crypto";
import { BlobError, type BlobStore } from "../ports/blob-store.ts";
import { type BeginSnapshot, SnapshotDamaged, type SnapshotRepository } from "../ports/snapshot-repository.ts";
import { collectGarbage } from "./garbage.ts";
import { deriveKeys, type StoreKeys } from "./keys.ts";
import { type Manifest, openManifest } from "./manifest.ts";
import { PackReader } from "./pack-reader.ts";
import { StoreSnapshotReader } from "./snapshot-reader.ts";
import { StoreSnapshotWriter } from "./snapshot-writer.ts";

export interface BackupStoreOptions {
  readonly blobs: BlobStore;
  /** 32 bytes; without them nothing can be read. */
  readonly masterKey: Uint8Array;
  readonly randomBytes: (length: number) => Uint8Array;
}

const formatKey = "format";

/** Opens a store, making it when the place is empty. Throws when it was made under another master key or by a newer version. Format: `docs/formats/backup-store.md`. */
export async function openBackupStore({
  blobs,
  masterKey,
  randomBytes,
}: BackupStoreOptions): Promise<SnapshotRepository> {
  const keys = deriveKeys(masterKey);
  await checkFormat(blobs, keys);
  const reader = new PackReader(blobs, keys);
  const readManifest = (manifestKey: string): Promise<Manifest> => loadManifest(blobs, keys, manifestKey);
  return {
    async begin(request: BeginSnapshot) {
      const parent =
        request.parentManifestKey === undefined ? undefined : await readManifest(request.parentManifestKey);
      return new StoreSnapshotWriter({ blobs, keys, reader, randomBytes }, request, parent);
    },
    // A reader of its own, so that nothing read for an earlier snapshot hides what is in the store now.
    open: async (manifestKey) =>
      new StoreSnapshotReader(await readManifest(manifestKey), new PackReader(blobs, keys), keys),
    collectGarbage: (request) => collectGarbage(blobs, readManifest, request),
  };
}

async function checkFormat(blobs: BlobStore, keys: StoreKeys): Promise<void> {
  const wanted = { format: "telamon backup store", version: 1, keyCheck: Buffer.from(keys.check).toString("hex") };
  if ((await blobs.stat(formatKey)) === undefined) {
    await blobs.put(formatKey, [Buffer.from(`${JSON.stringify(wanted)}\n`)]);
    return;
  }
  const found = readFormat(await blobs.get(formatKey));
  if (found.version !== 1)
    throw new Error(`the backup store has format version ${String(found.version)}, which this version does not read`);
  const check = Buffer.from(String(found.keyCheck), "hex");
  if (check.length !== keys.check.length || !timingSafeEqual(check, keys.check))
    throw new Error("the master key is not the one this backup store was made with");
}

function readFormat(bytes: Uint8Array): { readonly version?: unknown; readonly keyCheck?: unknown } {
  try {
    const found = JSON.parse(Buffer.from(bytes).toString()) as {
      format?: unknown;
      version?: unknown;
      keyCheck?: unknown;
    } | null;
    if (found !== null && typeof found === "object" && found.format === "telamon backup store") return found;
  } catch {
    // Falls through to the same answer: it is not what is written there.
  }
  throw new Error("the backup store's format object is damaged, or the place holds something else");
}

async function loadManifest(blobs: BlobStore, keys: StoreKeys, manifestKey: string): Promise<Manifest> {
  try {
    return openManifest(await blobs.get(manifestKey), keys, manifestKey);
  } catch (error) {
    const reason =
      error instanceof BlobError && error.code === "blob_not_found"
        ? "is missing"
        : `cannot be read: ${(error as Error).message}`;
    throw new SnapshotDamaged(manifestKey, `${manifestKey} ${reason}`, { cause: error });
  }
}
