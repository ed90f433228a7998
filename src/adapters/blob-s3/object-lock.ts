import { GetObjectLockConfigurationCommand, PutObjectRetentionCommand } from "@aws-sdk/client-s3";
import { BlobError, type BlobLock } from "../../ports/blob-store.ts";
import { head } from "./head.ts";
import { type Request, S3Refused, type S3Requests } from "./s3-requests.ts";

const dayMs = 86_400_000;

export interface ObjectLock {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly days: number;
  /** Whether an object is locked; some are there to be deleted. */
  readonly applies: (key: string) => boolean;
}

export interface Retention {
  readonly mode: ObjectLock["mode"];
  readonly until: Date;
}

/** How long an object that is put now is locked; undefined when it is not. */
export function retentionOf(lock: ObjectLock | undefined, key: string, nowMs: number): Retention | undefined {
  if (lock?.applies(key) !== true) return undefined;
  return { mode: lock.mode, until: new Date(nowMs + lock.days * dayMs) };
}

/** Throws `BlobError` when the bucket was not made with object lock, or nobody may ask. */
export async function requireObjectLock(requests: S3Requests, bucket: string): Promise<void> {
  const request: Request = { operation: "GetObjectLockConfiguration", what: `the bucket ${bucket}` };
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

/** The locks of a bucket's objects; `objectKeyOf` answers the whole key, with the store's prefix. */
export function createBlobLock(
  requests: S3Requests,
  bucket: string,
  lock: ObjectLock,
  objectKeyOf: (key: string) => string,
): BlobLock {
  const find = async (key: string) => {
    const found = await head(requests, bucket, objectKeyOf(key));
    if (found === undefined) throw new BlobError("blob_not_found", `there is no object ${key}`);
    return found;
  };
  return {
    durationMs: lock.days * dayMs,
    async lockedUntilMs(key) {
      return (await find(key)).ObjectLockRetainUntilDate?.getTime();
    },
    async extend(key, untilMs) {
      const { VersionId, ObjectLockMode, ObjectLockRetainUntilDate } = await find(key);
      if ((ObjectLockRetainUntilDate?.getTime() ?? 0) >= untilMs) return;
      const objectKey = objectKeyOf(key);
      await requests.require({ operation: "PutObjectRetention", what: objectKey }, async (abortSignal) => {
        const command = new PutObjectRetentionCommand({
          Bucket: bucket,
          Key: objectKey,
          ...(VersionId !== undefined && { VersionId }),
          // A lock is made longer, and nothing else of it is changed.
          Retention: { Mode: ObjectLockMode ?? lock.mode, RetainUntilDate: wholeSeconds(untilMs) },
        });
        await requests.client.send(command, { abortSignal });
      });
    },
  };
}

/** Not before that time: servers that keep whole seconds would cut it short. */
function wholeSeconds(timeMs: number): Date {
  return new Date(Math.ceil(timeMs / 1000) * 1000);
}
