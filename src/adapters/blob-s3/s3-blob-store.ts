import { BlobError, type BlobEntry, type BlobStore } from "../../ports/blob-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { requireKey } from "../../shared/blob-key.ts";
import { holdsConditionalWrites } from "./conditional-writes.ts";
import { deleteAllVersions } from "./deletion.ts";
import { head } from "./head.ts";
import { list } from "./listing.ts";
import { areSame, type Pieces, piecesOf } from "./object-bytes.ts";
import { createBlobLock, type ObjectLock, requireObjectLock, retentionOf } from "./object-lock.ts";
import { objectMaxBytes, readObject, readRange } from "./reading.ts";
import { type ConnectionLimits, createClient, type S3Connection } from "./s3-client.ts";
import { type RetryLimits, S3Requests } from "./s3-requests.ts";
import { abandonUnfinished, upload, type UploadLimits } from "./upload.ts";

export interface S3Limits extends RetryLimits, UploadLimits, ConnectionLimits {
  /** Uploads that began so long ago are nobody's. */
  readonly unfinishedMs: number;
  /** Objects of one page of a listing; S3 gives 1000 at most. */
  readonly listedAtOnce: number;
}

export const s3Limits: S3Limits = {
  attemptsMax: 8,
  damagedAttemptsMax: 3,
  firstAttemptsMax: 3,
  firstPauseMs: 200,
  pauseMaxMs: 10_000,
  attemptMs: 60_000,
  bytesPerSecondLeast: 100_000,
  wholeMaxBytes: 32 * 1_048_576,
  partBytes: 16 * 1_048_576,
  partsAtOnce: 3,
  connectionsMax: 16,
  connectMs: 5000,
  silenceMs: 30_000,
  unfinishedMs: 3_600_000,
  listedAtOnce: 1000,
};

/** Times that an object is put whose key was taken and then free. */
const putsMax = 3;

export interface S3BlobStoreOptions extends S3Connection {
  readonly bucket: string;
  /** Stands before every key: empty, or with a slash at its end. */
  readonly prefix: string;
  /** What is put is kept from being deleted by the server; the bucket must have been made for it. */
  readonly objectLock: ObjectLock | undefined;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly log: Log;
  /** Only reads. */
  readonly forReading?: boolean;
  readonly limits?: Partial<S3Limits>;
}

/**
 * Objects in a bucket of an S3-compatible server. Opening it for writing learns whether the server holds `If-None-Match`; where it does not, a key is looked for before it is
 * written, which two processes at once can slip through. Throws `BlobError` when it cannot be written to.
 */
export async function createS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  const { bucket, prefix, objectLock, clock, log, forReading = false } = options;
  const limits = { ...s3Limits, ...options.limits };
  const place = `s3://${bucket}/${prefix}${options.endpoint === undefined ? "" : ` at ${options.endpoint}`}`;
  const requests = new S3Requests(createClient(options, limits), place, limits, options.randomBytes, log);
  const uploading = { requests, bucket, limits, log };
  let isConditional = true;
  if (!forReading) {
    if (objectLock !== undefined) await requireObjectLock(requests, bucket);
    isConditional = await holdsConditionalWrites(requests, bucket, prefix);
    if (!isConditional)
      log.warn(
        { place },
        "the S3 server puts objects over others though asked not to (If-None-Match): keys are looked for before they are written, and two processes must never use this store",
      );
    await abandonUnfinished(uploading, prefix, new Date(clock.nowMs() - limits.unfinishedMs));
  }
  const objectKeyOf = (key: string): string =>
    prefix + requireKey(key, (message) => new BlobError("blob_key_invalid", message));
  const puts = new Map<string, Promise<void>>();

  const get = async (key: string): Promise<Buffer> => readObject(requests, bucket, objectKeyOf(key), key);

  const stat = async (key: string): Promise<BlobEntry | undefined> => {
    const found = await head(requests, bucket, objectKeyOf(key));
    return found && { key, sizeBytes: found.ContentLength ?? 0 };
  };

  // Servers that hold the condition for an object that is sent whole may still not look at it at the end of one in parts.
  const isLookedFor = ({ sizeBytes }: Pieces): boolean => !isConditional || sizeBytes > limits.wholeMaxBytes;

  const putOnce = async (key: string, object: Pieces): Promise<void> => {
    const objectKey = objectKeyOf(key);
    for (let time = 1; time <= putsMax; time += 1) {
      if (!isLookedFor(object) || (await stat(key)) === undefined) {
        const retention = retentionOf(objectLock, key, clock.nowMs());
        if ((await upload(uploading, { objectKey, isConditional, retention }, object)) === "put") return;
      }
      const known = await get(key).catch((error: unknown) => {
        if (error instanceof BlobError && error.code === "blob_not_found") return undefined;
        throw error;
      });
      if (known === undefined) continue;
      if (areSame(object, known)) return;
      throw new BlobError("blob_exists", `there is another object ${key}`);
    }
    throw new BlobError("blob_store_failed", `${key} was taken and free again, ${putsMax} times`);
  };

  return {
    async put(key, parts) {
      const objectKey = objectKeyOf(key);
      if (forReading) throw openForReading(key);
      const object = piecesOf(parts);
      if (object.sizeBytes > objectMaxBytes)
        throw new BlobError("blob_store_failed", `${key} has ${object.sizeBytes} bytes, more than ${objectMaxBytes}`);
      if (!isLookedFor(object)) return putOnce(key, object);
      // Within this process at least, one after the other.
      const before = puts.get(objectKey);
      const mine = (async () => {
        await before?.catch(() => undefined);
        await putOnce(key, object);
      })();
      puts.set(objectKey, mine);
      return mine.finally(() => {
        if (puts.get(objectKey) === mine) puts.delete(objectKey);
      });
    },
    get,
    async getRange(key, offset, lengthBytes) {
      const objectKey = objectKeyOf(key);
      if (offset < 0 || lengthBytes < 0 || lengthBytes > objectMaxBytes)
        throw new BlobError("blob_range", `${key} has no range of ${lengthBytes} bytes from ${offset}`);
      if (lengthBytes > 0) return readRange(requests, bucket, objectKey, { key, offset, lengthBytes });
      // S3 has no range without a byte.
      const found = await stat(key);
      if (found === undefined) throw new BlobError("blob_not_found", `there is no object ${key}`);
      if (offset > found.sizeBytes) throw new BlobError("blob_range", `${key} ends before ${offset} bytes`);
      return new Uint8Array(0);
    },
    stat,
    list: (listed) => list(requests, { bucket, prefix, listedAtOnce: limits.listedAtOnce }, listed),
    async delete(key) {
      const objectKey = objectKeyOf(key);
      if (forReading) throw openForReading(key);
      await deleteAllVersions(requests, bucket, objectKey);
    },
    ...(objectLock !== undefined && !forReading && { lock: createBlobLock(requests, bucket, objectLock, objectKeyOf) }),
  };
}

function openForReading(key: string): BlobError {
  return new BlobError("blob_store_failed", `${key} cannot be changed: the store is open for reading`);
}
