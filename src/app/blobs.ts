import { createFileBlobStore } from "../adapters/blob-file-system/file-blob-store.ts";
import type { BlobStore } from "../ports/blob-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { BlobLocation } from "./configuration.ts";

export interface BlobParts {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly log: Log;
  /** Changes nothing, and leaves what another process has under way alone. */
  readonly forReading?: boolean;
}

/** Opens the place of the snapshot store. The AWS SDK is large and loaded only for a store in S3. */
export async function openBlobs(location: BlobLocation, parts: BlobParts): Promise<BlobStore> {
  const { clock, randomBytes, log, forReading = false } = parts;
  if (location.kind === "file") return createFileBlobStore({ root: location.path, randomBytes, forReading });
  const { createS3BlobStore } = await import("../adapters/blob-s3/s3-blob-store.ts");
  const { objectLock } = location;
  return createS3BlobStore({
    ...location,
    // A mark says what garbage waits for its time; it is there to be deleted.
    objectLock: objectLock && { ...objectLock, applies: (key) => !key.startsWith("marks/") },
    clock,
    randomBytes,
    log,
    forReading,
  });
}

/** For people. */
export function placeOf(location: BlobLocation): string {
  return location.kind === "file" ? location.path : `s3://${location.bucket}/${location.prefix}`;
}
