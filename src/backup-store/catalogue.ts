import type { Document } from "bson";
import { type BlobStore } from "../ports/blob-store.ts";
import { type CataloguedSnapshot, SnapshotDamaged } from "../ports/snapshot-repository.ts";
import type { StoreKeys } from "./keys.ts";
import { openDocument, sealDocument } from "./sealed-object.ts";

export const cataloguePrefix = "catalogue/";

export interface CatalogueParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Puts a copy of what the metadata database knows of a completed snapshot, and reads it back. */
export async function putCatalogueRecord(parts: CatalogueParts, record: CataloguedSnapshot): Promise<void> {
  const { blobs, keys, randomBytes } = parts;
  const objectKey = `${cataloguePrefix}${record.snapshot.id}/${Buffer.from(randomBytes(8)).toString("hex")}`;
  const document: Document = { version: 1, requires: [], ...record };
  const sealed = sealDocument("catalogue", document, keys.catalogueKey, objectKey, randomBytes(12));
  await blobs.put(objectKey, [sealed]);
  if (sealed.equals(await blobs.get(objectKey))) return;
  // When this fails as well, `verify` tells of it; it hurts no document.
  await blobs.delete(objectKey).catch(() => undefined);
  throw new SnapshotDamaged(objectKey, `${objectKey} does not read back as it was written`);
}

/** Throws when the object is missing or not what was sealed. */
export async function readCatalogueRecord(
  { blobs, keys }: Pick<CatalogueParts, "blobs" | "keys">,
  objectKey: string,
): Promise<CataloguedSnapshot> {
  const document = openDocument("catalogue", await blobs.get(objectKey), keys.catalogueKey, objectKey);
  if (document.version !== 1) throw new Error(`its version is ${String(document.version)}`);
  const { revision, organization, project, deployment, snapshot } = document;
  return { revision, organization, project, deployment, snapshot } as CataloguedSnapshot;
}

/** The newest record of every snapshot. Records that cannot be read are told to `onDamage` and passed over. */
export async function* catalogueRecords(
  parts: Pick<CatalogueParts, "blobs" | "keys">,
  onDamage: (objectKey: string, error: unknown) => void,
): AsyncGenerator<CataloguedSnapshot> {
  const keysOf = new Map<string, string[]>();
  for await (const { key } of parts.blobs.list(cataloguePrefix)) {
    const snapshotId = key.split("/")[1] ?? "";
    keysOf.set(snapshotId, [...(keysOf.get(snapshotId) ?? []), key]);
  }
  for (const objectKeys of keysOf.values()) {
    let newest: CataloguedSnapshot | undefined;
    for (const objectKey of objectKeys) {
      try {
        const record = await readCatalogueRecord(parts, objectKey);
        if (newest === undefined || isNewer(record, newest)) newest = record;
      } catch (error) {
        onDamage(objectKey, error);
      }
    }
    if (newest !== undefined) yield newest;
  }
}

/** The same snapshot may have been completed twice, when its worker died before it could say so, and its record changes with holds and proofs: the later one counts. */
export function isNewer(one: CataloguedSnapshot, other: CataloguedSnapshot): boolean {
  if (one.revision !== other.revision) return one.revision > other.revision;
  return (one.snapshot.completedAtMs ?? 0) > (other.snapshot.completedAtMs ?? 0);
}
