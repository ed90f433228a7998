import { BlobError, type BlobStore } from "../../ports/blob-store.ts";
import { requireKey } from "../../shared/blob-key.ts";

/** Objects in memory, gone with the process. For tests and scratch stores. */
export function createMemoryBlobStore(objects: Map<string, Buffer> = new Map()): BlobStore {
  const find = (key: string): Buffer => {
    const object = objects.get(checked(key));
    if (object === undefined) throw new BlobError("blob_not_found", `there is no object ${key}`);
    return object;
  };
  return {
    async put(key, parts) {
      const bytes = Buffer.concat(parts);
      const known = objects.get(checked(key));
      if (known !== undefined && !known.equals(bytes))
        throw new BlobError("blob_exists", `there is another object ${key}`);
      objects.set(key, bytes);
    },
    get: async (key) => Uint8Array.from(find(key)),
    async getRange(key, offset, lengthBytes) {
      const object = find(key);
      if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > object.length)
        throw new BlobError("blob_range", `${key} has ${object.length} bytes, not ${offset + lengthBytes}`);
      return Uint8Array.from(object.subarray(offset, offset + lengthBytes));
    },
    async stat(key) {
      const object = objects.get(checked(key));
      return object === undefined ? undefined : { key, sizeBytes: object.length };
    },
    async *list(prefix) {
      for (const [key, object] of objects) if (key.startsWith(prefix)) yield { key, sizeBytes: object.length };
    },
    async delete(key) {
      objects.delete(checked(key));
    },
  };
}

function checked(key: string): string {
  return requireKey(key, (message) => new BlobError("blob_key_invalid", message));
}
