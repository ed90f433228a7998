import type { BlobStore } from "../ports/blob-store.ts";
import type { StoreKeys } from "./keys.ts";
import { openDocument, sealDocument } from "./sealed-object.ts";

export const marksPrefix = "marks/";

/** What a collection of garbage found unneeded, and when it first did. */
export interface Mark {
  readonly markedAtMs: number;
  readonly objectKeys: readonly string[];
}

export interface MarkParts {
  readonly blobs: BlobStore;
  readonly keys: StoreKeys;
  readonly randomBytes: (length: number) => Uint8Array;
}

export async function putMark({ blobs, keys, randomBytes }: MarkParts, mark: Mark): Promise<void> {
  const objectKey = `${marksPrefix}${Buffer.from(randomBytes(8)).toString("hex")}`;
  const sealed = sealDocument("mark", { version: 1, requires: [], ...mark }, keys.markKey, objectKey, randomBytes(12));
  await blobs.put(objectKey, [sealed]);
}

/** Throws when the object is missing or not what was sealed. */
export async function readMark({ blobs, keys }: Pick<MarkParts, "blobs" | "keys">, objectKey: string): Promise<Mark> {
  const document = openDocument("mark", await blobs.get(objectKey), keys.markKey, objectKey);
  if (document.version !== 1) throw new Error(`its version is ${String(document.version)}`);
  return { markedAtMs: document.markedAtMs as number, objectKeys: document.objectKeys as string[] };
}
