import { GetObjectCommand, GetObjectLockConfigurationCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { BlobError, type BlobEntry, type BlobStore } from "../../ports/blob-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { requireKey } from "../../shared/blob-key.ts";
import { holdsConditionalWrites } from "./conditional-writes.ts";
import { deleteAllVersions } from "./deletion.ts";
import { type ConnectionLimits, createClient, type S3Connection } from "./s3-client.ts";
import { head } from "./head.ts";
import { areSame, type Pieces, piecesOf, readWhole } from "./object-bytes.ts";
import { requireTag, WrongAnswer } from "./s3-failure.ts";
import { type Request, type RetryLimits, S3Refused, S3Requests } from "./s3-requests.ts";
import { abandonUnfinished, hashName, upload, type UploadLimits } from "./upload.ts";

const dayMs = 86_400_000;

export interface S3Limits extends RetryLimits, UploadLimits, ConnectionLimits {
  /** Uploads that began so long ago are nobody's. */
  readonly unfinishedMs: number;
  /** Objects of one page of a listing; S3 gives 1000 at most. */
  readonly listedAtOnce: number;
  /** Requests of the start are sent so often: whoever sets it up waits for the answer. */
  readonly startAttemptsMax: number;
}

export const s3Limits: S3Limits = {
  attemptsMax: 8,
  damagedAttemptsMax: 3,
  startAttemptsMax: 3,
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

/** Largest object, as one piece of memory in Node has to hold it when it is read. */
const objectMaxBytes = 2 ** 31 - 1;
/** Times that an object is put whose key was taken and then free. */
const putsMax = 3;

export interface ObjectLock {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly days: number;
  /** Whether an object is locked; some are there to be deleted. */
  readonly applies: (key: string) => boolean;
}

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
  const { client } = requests;
  const uploading = { requests, bucket, limits, log };
  let isConditional = true;
  if (!forReading) {
    if (objectLock !== undefined) await requireObjectLock(requests, bucket, limits.startAttemptsMax);
    isConditional = await holdsConditionalWrites(requests, bucket, prefix, limits.startAttemptsMax);
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

  const get = async (key: string): Promise<Buffer> => {
    const objectKey = objectKeyOf(key);
    return readOr(requests, { operation: "GetObject", what: objectKey }, key, async (abortSignal, allow) => {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: objectKey }), { abortSignal });
      requireTag(answer);
      const sizeBytes = sizeOf(answer.ContentLength);
      allow(sizeBytes);
      return readWhole(answer.Body, sizeBytes, answer.Metadata?.[hashName], abortSignal);
    });
  };

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
        const retention =
          objectLock?.applies(key) === true
            ? { mode: objectLock.mode, until: new Date(clock.nowMs() + objectLock.days * dayMs) }
            : undefined;
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
      const end = offset + lengthBytes;
      if (offset < 0 || lengthBytes < 0 || lengthBytes > objectMaxBytes)
        throw new BlobError("blob_range", `${key} has no range of ${lengthBytes} bytes from ${offset}`);
      // S3 has no range without a byte.
      if (lengthBytes === 0) return emptyRange(key, offset, await stat(key));
      const request: Request = { operation: "GetObject", what: objectKey, sizeBytes: lengthBytes };
      return readOr(requests, request, key, async (abortSignal) => {
        const Range = `bytes=${offset}-${end - 1}`;
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: objectKey, Range }), {
          abortSignal,
        });
        const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(answer.ContentRange ?? "") ?? [];
        if (Number(first) !== offset)
          throw new WrongAnswer(`${Range} was answered with ${answer.ContentRange ?? "all"}`);
        if (Number(last) < end - 1) throw new BlobError("blob_range", `${key} ends before ${end} bytes`);
        return readWhole(answer.Body, lengthBytes, undefined, abortSignal);
      });
    },
    stat,
    list: (listed) => list(requests, bucket, prefix, listed, limits.listedAtOnce),
    async delete(key) {
      const objectKey = objectKeyOf(key);
      if (forReading) throw openForReading(key);
      await deleteAllVersions(requests, bucket, objectKey);
    },
  };
}

async function requireObjectLock(requests: S3Requests, bucket: string, attemptsMax: number): Promise<void> {
  const request: Request = { operation: "GetObjectLockConfiguration", what: `the bucket ${bucket}`, attemptsMax };
  const missing = (): BlobError =>
    new BlobError("blob_store_failed", `object lock is asked for, and the bucket ${bucket} was not made with it`);
  try {
    const { ObjectLockConfiguration } = await requests.send(request, (abortSignal) =>
      requests.client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }), { abortSignal }),
    );
    if (ObjectLockConfiguration?.ObjectLockEnabled !== "Enabled") throw missing();
  } catch (error) {
    if (error instanceof S3Refused && error.failure.code === "ObjectLockConfigurationNotFoundError") throw missing();
    throw requests.asBlobError(request, error);
  }
}

/** Reads; an object that is not there, or is too short, is told as the port has it. */
async function readOr<Result>(
  requests: S3Requests,
  request: Request,
  key: string,
  work: (signal: AbortSignal, allow: (sizeBytes: number) => void) => Promise<Result>,
): Promise<Result> {
  try {
    return await requests.send(request, work);
  } catch (error) {
    if (error instanceof S3Refused) {
      if (error.failure.code === "NoSuchKey") throw new BlobError("blob_not_found", `there is no object ${key}`);
      if (error.failure.status === 416) throw new BlobError("blob_range", `${key} is shorter`);
    }
    throw requests.asBlobError(request, error);
  }
}

async function* list(
  requests: S3Requests,
  bucket: string,
  prefix: string,
  listed: string,
  listedAtOnce: number,
): AsyncGenerator<BlobEntry> {
  let token: string | undefined;
  do {
    const page = await requests.require(
      { operation: "ListObjectsV2", what: `${prefix}${listed}*` },
      async (abortSignal) => {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: `${prefix}${listed}`,
          MaxKeys: listedAtOnce,
          ...(token !== undefined && { ContinuationToken: token }),
        });
        const answer = await requests.client.send(command, { abortSignal });
        // What answers without these is not S3, and must not be read as "there is nothing".
        if (answer.IsTruncated === undefined || answer.Name !== bucket) throw new WrongAnswer("that is no listing");
        const next = answer.IsTruncated ? answer.NextContinuationToken : undefined;
        if (answer.IsTruncated && (next === undefined || next === token))
          throw new WrongAnswer("the listing does not go on");
        return { objects: answer.Contents ?? [], next };
      },
    );
    for (const { Key, Size } of page.objects) {
      const key = Key?.startsWith(prefix) === true ? Key.slice(prefix.length) : undefined;
      // Whatever else is in the bucket is not the store's.
      if (key !== undefined && Size !== undefined && isKey(key)) yield { key, sizeBytes: Size };
    }
    token = page.next;
  } while (token !== undefined);
}

function isKey(key: string): boolean {
  try {
    requireKey(key, (message) => new Error(message));
    return true;
  } catch {
    return false;
  }
}

function emptyRange(key: string, offset: number, found: BlobEntry | undefined): Uint8Array {
  if (found === undefined) throw new BlobError("blob_not_found", `there is no object ${key}`);
  if (offset > found.sizeBytes) throw new BlobError("blob_range", `${key} ends before ${offset} bytes`);
  return new Uint8Array(0);
}

function sizeOf(contentLength: number | undefined): number {
  if (contentLength === undefined || !Number.isSafeInteger(contentLength) || contentLength < 0)
    throw new WrongAnswer("the answer does not tell the object's size");
  if (contentLength > objectMaxBytes)
    throw new BlobError("blob_store_failed", `an object has ${contentLength} bytes, more than ${objectMaxBytes}`);
  return contentLength;
}

function openForReading(key: string): BlobError {
  return new BlobError("blob_store_failed", `${key} cannot be changed: the store is open for reading`);
}
