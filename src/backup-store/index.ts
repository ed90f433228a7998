import { hkdfSync } from "node:crypto";
import { BlobError, type BlobStore } from "../ports/blob-store.ts";
import { type BeginSnapshot, SnapshotDamaged, type SnapshotRepository } from "../ports/snapshot-repository.ts";
import { catalogueRecords, putCatalogueRecord } from "./catalogue.ts";
import { readingDamaged } from "./damaged-objects.ts";
import { collectGarbage } from "./garbage.ts";
import type { StoreSecret } from "./key-slot.ts";
import { createKeySlots, type KeySlots, openOrCreateSecrets } from "./key-slots.ts";
import { createSnapshotLocks } from "./locks.ts";
import { deriveKeys, type StoreKeys } from "./keys.ts";
import { type Manifest, openManifest } from "./manifest.ts";
import { PackReader } from "./pack-reader.ts";
import { StoreSnapshotReader } from "./snapshot-reader.ts";
import { StoreSnapshotWriter } from "./snapshot-writer.ts";
import { verifyRepository } from "./verify.ts";

export type { StoreSecret } from "./key-slot.ts";
export type { KeySlots, KeySlotSummary } from "./key-slots.ts";

export interface BackupStoreOptions {
  readonly blobs: BlobStore;
  /** 32 bytes, or a passphrase: without one that opens a key slot nothing can be read. */
  readonly secret: StoreSecret;
  /** For people: where the secret is kept, told by the first slot of a new store. */
  readonly secretLabel?: string;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** A repository with its ways in. */
export interface BackupStore extends SnapshotRepository {
  readonly keySlots: KeySlots;
  /** 32 bytes for secrets that belong with the store and outlive every change of its key slots. */
  readonly sealingKey: Uint8Array;
}

/** Opens a store, making it when the place is empty. Throws when no key slot opens, or a newer version made it. Format: `docs/formats/backup-store.md`. */
export async function openBackupStore(options: BackupStoreOptions): Promise<BackupStore> {
  const { secret, secretLabel = "key", randomBytes } = options;
  const blobs = readingDamaged(options.blobs);
  const secrets = await openOrCreateSecrets({ blobs, randomBytes }, secret, secretLabel);
  const keys = deriveKeys(secrets.masterKey, secrets.repositoryId);
  const parts = { blobs, keys, randomBytes };
  const reader = new PackReader(blobs, keys);
  const readManifest = (manifestKey: string): Promise<Manifest> => loadManifest(blobs, keys, manifestKey);
  let collecting: Promise<unknown> = Promise.resolve();
  return {
    keySlots: createKeySlots({ blobs, randomBytes }, secrets),
    sealingKey: new Uint8Array(
      hkdfSync("sha256", secrets.masterKey, secrets.repositoryId, "telamon store v1 sealing", 32),
    ),
    async begin(request: BeginSnapshot) {
      const parent =
        request.parentManifestKey === undefined ? undefined : await readManifest(request.parentManifestKey);
      return new StoreSnapshotWriter({ ...parts, reader }, request, parent);
    },
    // A reader of its own, so that nothing read for an earlier snapshot hides what is in the store now.
    open: async (manifestKey) =>
      new StoreSnapshotReader(await readManifest(manifestKey), new PackReader(blobs, keys), keys),
    catalogue: (record) => putCatalogueRecord(parts, record),
    catalogued: (onDamage) => catalogueRecords(parts, onDamage),
    verify: (request = {}) => verifyRepository({ ...parts, repositoryId: secrets.repositoryId }, request),
    objects: () => blobs.list(""),
    collectGarbage: (request) => {
      // One after the other: two at once would write the same packs anew.
      const collected = collecting.then(() => collectGarbage({ ...parts, readManifest }, request));
      collecting = collected.catch(() => undefined);
      return collected;
    },
    ...(blobs.lock !== undefined && { locks: createSnapshotLocks({ ...parts, readManifest }, blobs.lock) }),
  };
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
