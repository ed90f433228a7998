import { DeleteObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { BlobError } from "../../ports/blob-store.ts";
import { head } from "./head.ts";
import { WrongAnswer } from "./s3-failure.ts";
import { type Request, S3Refused, type S3Requests } from "./s3-requests.ts";

/** Versions of one object that are deleted in one go. The store puts one; a tool may have put it again. */
const versionsMax = 100;

/**
 * Deletes an object for good. In a bucket with versions (one with object lock has them) a plain deletion would only hide it, and nothing could refuse that: the version is
 * named, until none shows any more. Throws `BlobError`, `blob_locked` when the server keeps it.
 */
export async function deleteAllVersions(requests: S3Requests, bucket: string, objectKey: string): Promise<void> {
  for (let time = 1; time <= versionsMax; time += 1) {
    const shown = await head(requests, bucket, objectKey);
    if (shown === undefined) return;
    await deleteVersion(requests, bucket, objectKey, shown);
    if (shown.VersionId === undefined) return;
  }
  throw new BlobError("blob_store_failed", `${objectKey} has more than ${versionsMax} versions`);
}

async function deleteVersion(
  requests: S3Requests,
  bucket: string,
  objectKey: string,
  { VersionId, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus }: HeadObjectCommandOutput,
): Promise<void> {
  const request: Request = { operation: "DeleteObject", what: objectKey };
  try {
    await requests.send(request, async (abortSignal) => {
      const command = new DeleteObjectCommand({
        Bucket: bucket,
        Key: objectKey,
        ...(VersionId !== undefined && { VersionId }),
      });
      const { $metadata } = await requests.client.send(command, { abortSignal });
      if ($metadata.httpStatusCode !== 204 && $metadata.requestId === undefined)
        throw new WrongAnswer("the answer is not of S3: it is neither empty nor has a request's id");
    });
  } catch (error) {
    if (!(error instanceof S3Refused)) throw error;
    const { code, message } = error.failure;
    if (code === "NoSuchKey" || code === "NoSuchVersion") return;
    const isHeld = ObjectLockLegalHoldStatus === "ON";
    if (ObjectLockRetainUntilDate === undefined && !isHeld && !/\block|\bWORM\b|retention/i.test(message))
      throw requests.asBlobError(request, error);
    const until = isHeld ? "by a legal hold" : `until ${ObjectLockRetainUntilDate?.toISOString() ?? "its time"}`;
    throw new BlobError("blob_locked", `the S3 store ${requests.place} keeps ${objectKey} locked ${until}`);
  }
}
