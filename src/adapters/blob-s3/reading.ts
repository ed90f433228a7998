import { GetObjectCommand } from "@aws-sdk/client-s3";
import { BlobError } from "../../ports/blob-store.ts";
import { readWhole } from "./object-bytes.ts";
import { requireTag, WrongAnswer } from "./s3-failure.ts";
import { type Request, S3Refused, type S3Requests } from "./s3-requests.ts";
import { hashName } from "./upload.ts";

/** Largest object, as one piece of memory in Node has to hold it when it is read. */
export const objectMaxBytes = 2 ** 31 - 1;

/** All bytes of an object, compared with the SHA-256 that was put with it, where there is one. Throws `BlobError`. */
export async function readObject(
  requests: S3Requests,
  bucket: string,
  objectKey: string,
  key: string,
): Promise<Buffer> {
  return readOr(requests, { operation: "GetObject", what: objectKey }, key, async (abortSignal, allow) => {
    const command = new GetObjectCommand({ Bucket: bucket, Key: objectKey });
    const answer = await requests.client.send(command, { abortSignal });
    requireTag(answer);
    const sizeBytes = sizeOf(answer.ContentLength);
    allow(sizeBytes);
    return readWhole(answer.Body, sizeBytes, answer.Metadata?.[hashName], abortSignal);
  });
}

/** Exactly so many bytes, at least one. Throws `BlobError`. */
export async function readRange(
  requests: S3Requests,
  bucket: string,
  objectKey: string,
  { key, offset, lengthBytes }: { readonly key: string; readonly offset: number; readonly lengthBytes: number },
): Promise<Buffer> {
  const end = offset + lengthBytes;
  const request: Request = { operation: "GetObject", what: objectKey, sizeBytes: lengthBytes };
  return readOr(requests, request, key, async (abortSignal) => {
    const Range = `bytes=${offset}-${end - 1}`;
    const command = new GetObjectCommand({ Bucket: bucket, Key: objectKey, Range });
    const answer = await requests.client.send(command, { abortSignal });
    const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(answer.ContentRange ?? "") ?? [];
    if (Number(first) !== offset) throw new WrongAnswer(`${Range} was answered with ${answer.ContentRange ?? "all"}`);
    if (Number(last) < end - 1) throw new BlobError("blob_range", `${key} ends before ${end} bytes`);
    return readWhole(answer.Body, lengthBytes, undefined, abortSignal);
  });
}

/** An object that is not there, or is too short, is told as the port has it. */
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

function sizeOf(contentLength: number | undefined): number {
  if (contentLength === undefined || !Number.isSafeInteger(contentLength) || contentLength < 0)
    throw new WrongAnswer("the answer does not tell the object's size");
  if (contentLength > objectMaxBytes)
    throw new BlobError("blob_store_failed", `an object has ${contentLength} bytes, more than ${objectMaxBytes}`);
  return contentLength;
}
