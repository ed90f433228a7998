import { BlobError } from "../ports/blob-store.ts";
import type { CataloguedSnapshot } from "../ports/snapshot-repository.ts";
import { type CatalogueParts, isNewer, readCatalogueRecord } from "./catalogue.ts";
import { snapshotIdOf } from "./manifest.ts";

/**
 * Of these records (keys of objects), those that another record of the same snapshot has taken the place of: they name a manifest that goes, since an attempt came so far and a
 * later one was completed, or they are older than one that names a manifest that stays. A snapshot's only record is none of them, nor is one that cannot be read: `verify` tells of it.
 */
export async function supersededRecords(
  parts: Pick<CatalogueParts, "blobs" | "keys">,
  objectKeys: readonly string[],
  manifestStays: (record: CataloguedSnapshot) => boolean,
): Promise<ReadonlySet<string>> {
  const superseded = new Set<string>();
  for (const ofOne of Map.groupBy(objectKeys, (key) => snapshotIdOf(key)).values()) {
    if (ofOne.length < 2) continue;
    let newest: { readonly objectKey: string; readonly record: CataloguedSnapshot } | undefined;
    for (const objectKey of ofOne) {
      const record = await readIfWhole(parts, objectKey);
      if (record === undefined) continue;
      if (!manifestStays(record)) superseded.add(objectKey);
      else if (newest === undefined) newest = { objectKey, record };
      else if (isNewer(record, newest.record)) {
        superseded.add(newest.objectKey);
        newest = { objectKey, record };
      } else superseded.add(objectKey);
    }
  }
  return superseded;
}

async function readIfWhole(
  parts: Pick<CatalogueParts, "blobs" | "keys">,
  objectKey: string,
): Promise<CataloguedSnapshot | undefined> {
  try {
    return await readCatalogueRecord(parts, objectKey);
  } catch (error) {
    // A failure to look is not the same as damage.
    if (error instanceof BlobError && error.code !== "blob_not_found") throw error;
    return undefined;
  }
}
