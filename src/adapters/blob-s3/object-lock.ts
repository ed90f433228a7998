import { GetObjectLockConfigurationCommand } from "@aws-sdk/client-s3";
import { BlobError } from "../../ports/blob-store.ts";
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
