import { BlobError, type BlobStore } from "../ports/blob-store.ts";

/**
 * A place whose objects are read even when it knows them to be damaged. The backup store authenticates every byte by itself, and only from the bytes it can tell which of an object's blocks,
 * and so which documents, are hurt.
 */
export function readingDamaged(blobs: BlobStore): BlobStore {
  return {
    ...blobs,
    async get(key) {
      try {
        return await blobs.get(key);
      } catch (error) {
        if (!(error instanceof BlobError) || error.code !== "blob_damaged") throw error;
        const found = await blobs.stat(key);
        if (found === undefined) throw new BlobError("blob_not_found", `there is no object ${key}`, { cause: error });
        return blobs.getRange(key, 0, found.sizeBytes);
      }
    },
  };
}
