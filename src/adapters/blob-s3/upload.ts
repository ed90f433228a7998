import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { BlobError } from "../../ports/blob-store.ts";
import type { Log } from "../../ports/log.ts";
import { bodyOf, hashOf, type Pieces, sliceOf } from "./object-bytes.ts";
import type { Retention } from "./object-lock.ts";
import { requireTag, WrongAnswer } from "./s3-failure.ts";
import { S3Refused, type Request, type S3Requests } from "./s3-requests.ts";

/** S3 takes at most so many parts. */
const partsMax = 10_000;
/** Nobody waits for a tidy bucket when the server is gone; the next start looks again. */
const abandonAttemptsMax = 2;
/** Name of the object's own metadata with the SHA-256 of all its bytes in hexadecimal digits; servers that know no checksums keep it as well. */
export const hashName = "telamon-sha256";

export interface UploadLimits {
  /** Larger objects are sent in parts. */
  readonly wholeMaxBytes: number;
  /** Bytes of a part; S3 wants at least 5 MiB. Larger when there would be too many. */
  readonly partBytes: number;
  readonly partsAtOnce: number;
}

export interface UploadParts {
  readonly requests: S3Requests;
  readonly bucket: string;
  readonly limits: UploadLimits;
  readonly log: Log;
}

export interface UploadTarget {
  /** The whole key, with the store's prefix. */
  readonly objectKey: string;
  /** Whether `If-None-Match: *` goes along, so that the server refuses a key that is taken. */
  readonly isConditional: boolean;
  readonly retention: Retention | undefined;
}

/** Answers "taken" when the server refused to put other bytes, or perhaps the same, over what is there. Throws `BlobError`. */
export async function upload(parts: UploadParts, target: UploadTarget, object: Pieces): Promise<"put" | "taken"> {
  return object.sizeBytes <= parts.limits.wholeMaxBytes
    ? putWhole(parts, target, object)
    : putInParts(parts, target, object);
}

async function putWhole(
  { requests, bucket }: UploadParts,
  target: UploadTarget,
  object: Pieces,
): Promise<"put" | "taken"> {
  const hash = await hashOf(object);
  const request = { operation: "PutObject", what: target.objectKey, sizeBytes: object.sizeBytes };
  return takenOrDone(requests, request, async (abortSignal) => {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: target.objectKey,
      Body: bodyOf(object),
      ContentLength: object.sizeBytes,
      ChecksumSHA256: hash.toString("base64"),
      ...attributesOf(target, hash),
      ...(target.isConditional && { IfNoneMatch: "*" }),
    });
    requireTag(await requests.client.send(command, { abortSignal }));
  });
}

/** An upload of which nothing is seen before its end; whatever goes wrong, its parts do not stay behind. */
async function putInParts(parts: UploadParts, target: UploadTarget, object: Pieces): Promise<"put" | "taken"> {
  const { requests, bucket } = parts;
  const { objectKey } = target;
  const hash = await hashOf(object);
  const uploadId = await requests.require(
    { operation: "CreateMultipartUpload", what: objectKey },
    async (abortSignal) => {
      const command = new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: objectKey,
        ChecksumAlgorithm: "SHA256",
        ...attributesOf(target, hash),
      });
      const { UploadId } = await requests.client.send(command, { abortSignal });
      if (UploadId === undefined || UploadId === "") throw new WrongAnswer("the upload has no id");
      return UploadId;
    },
  );
  try {
    const completed = await sendParts(parts, objectKey, uploadId, object);
    const request = { operation: "CompleteMultipartUpload", what: objectKey };
    const outcome = await takenOrDone(requests, request, async (abortSignal) => {
      const command = new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: objectKey,
        UploadId: uploadId,
        MultipartUpload: { Parts: completed },
        ...(target.isConditional && { IfNoneMatch: "*" }),
      });
      requireTag(await requests.client.send(command, { abortSignal }));
    });
    if (outcome === "taken") await abandon(parts, objectKey, uploadId);
    return outcome;
  } catch (error) {
    await abandon(parts, objectKey, uploadId);
    throw error;
  }
}

/** Sends the parts, some at once. When one fails, those under way are waited for: an upload that is given up must have nothing coming in. */
async function sendParts(
  { requests, bucket, limits }: UploadParts,
  objectKey: string,
  uploadId: string,
  object: Pieces,
): Promise<CompletedPart[]> {
  const partBytes = Math.max(limits.partBytes, Math.ceil(object.sizeBytes / partsMax));
  const partCount = Math.ceil(object.sizeBytes / partBytes);
  const completed: CompletedPart[] = [];
  let next = 0;
  const sendNext = async (): Promise<void> => {
    while (next < partCount) {
      const index = next;
      next += 1;
      const part = sliceOf(object, index * partBytes, (index + 1) * partBytes);
      const checksum = (await hashOf(part)).toString("base64");
      const request = {
        operation: "UploadPart",
        what: `${objectKey} (part ${index + 1} of ${partCount})`,
        sizeBytes: part.sizeBytes,
      };
      completed[index] = await requests
        .require(request, async (abortSignal) => {
          const command = new UploadPartCommand({
            Bucket: bucket,
            Key: objectKey,
            UploadId: uploadId,
            PartNumber: index + 1,
            Body: bodyOf(part),
            ContentLength: part.sizeBytes,
            ChecksumSHA256: checksum,
          });
          const ETag = requireTag(await requests.client.send(command, { abortSignal }));
          return { PartNumber: index + 1, ETag, ChecksumSHA256: checksum };
        })
        .catch((error: unknown) => {
          next = partCount;
          throw error;
        });
    }
  };
  const senders = Array.from({ length: Math.min(limits.partsAtOnce, partCount) }, sendNext);
  const failed = (await Promise.allSettled(senders)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return completed;
}

/** A key that is taken, or an upload that has come to its end already (the answer to an earlier request was lost), is "taken". */
async function takenOrDone(
  requests: S3Requests,
  request: Request,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<"put" | "taken"> {
  try {
    await requests.send(request, work);
    return "put";
  } catch (error) {
    if (error instanceof S3Refused) {
      const { code, status } = error.failure;
      if (status === 412 || code === "PreconditionFailed" || code === "NoSuchUpload") return "taken";
    }
    throw requests.asBlobError(request, error);
  }
}

async function abandon(parts: UploadParts, objectKey: string, uploadId: string): Promise<void> {
  const { requests, bucket, log } = parts;
  try {
    const request: Request = { operation: "AbortMultipartUpload", what: objectKey, attemptsMax: abandonAttemptsMax };
    await requests.send(request, async (abortSignal) => {
      const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: objectKey, UploadId: uploadId });
      await requests.client.send(command, { abortSignal });
    });
  } catch (error) {
    if (error instanceof S3Refused && error.failure.code === "NoSuchUpload") return;
    log.warn(
      { objectKey, reason: (error as Error).message },
      "an unfinished upload to the S3 store could not be removed; a later start does it",
    );
  }
}

/** Removes uploads below the prefix that began before `before`: whoever began them is dead. A server that does not let them be listed is told of in the log. */
export async function abandonUnfinished(parts: UploadParts, prefix: string, before: Date): Promise<void> {
  const { requests, bucket, log } = parts;
  let keyMarker: string | undefined;
  let uploadIdMarker: string | undefined;
  try {
    do {
      const page = await requests.send(
        { operation: "ListMultipartUploads", what: `the bucket ${bucket}` },
        (abortSignal) =>
          requests.client.send(
            new ListMultipartUploadsCommand({
              Bucket: bucket,
              Prefix: prefix,
              ...(keyMarker !== undefined && { KeyMarker: keyMarker }),
              ...(uploadIdMarker !== undefined && { UploadIdMarker: uploadIdMarker }),
            }),
            { abortSignal },
          ),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
        if (Key.startsWith(prefix) && Initiated < before) await abandon(parts, Key, UploadId);
      }
      keyMarker = page.IsTruncated === true ? page.NextKeyMarker : undefined;
      uploadIdMarker = page.NextUploadIdMarker;
    } while (keyMarker !== undefined);
  } catch (error) {
    if (!(error instanceof S3Refused) && !(error instanceof BlobError)) throw error;
    log.warn({ reason: error.message }, "unfinished uploads in the S3 store could not be looked for");
  }
}

function attributesOf({ retention }: UploadTarget, hash: Buffer): object {
  return {
    Metadata: { [hashName]: hash.toString("hex") },
    ContentType: "application/octet-stream",
    ...(retention !== undefined && {
      ObjectLockMode: retention.mode,
      ObjectLockRetainUntilDate: retention.until,
    }),
  };
}
