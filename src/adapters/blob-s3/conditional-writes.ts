import { PutObjectCommand } from "@aws-sdk/client-s3";
import { type Request, S3Refused, type S3Requests } from "./s3-requests.ts";

/** No key of the port has capital letters: this is never one of the store's objects. */
const probeName = "CONDITIONAL-WRITES";
const probeText =
  "Telamon puts this object to learn whether the server refuses to put one over another (If-None-Match).\n";

/**
 * Whether the server refuses to put an object over another when it is asked to. Leaves one small object, always the same; so this tells as well, once and at the start,
 * whether the store can be written to. Throws `BlobError` when it cannot.
 */
export async function holdsConditionalWrites(requests: S3Requests, bucket: string, prefix: string): Promise<boolean> {
  const request: Request = { operation: "PutObject", what: `${prefix}${probeName}` };
  for (let time = 1; time <= 2; time += 1) {
    try {
      await requests.send(request, async (abortSignal) => {
        const command = new PutObjectCommand({
          Bucket: bucket,
          Key: `${prefix}${probeName}`,
          Body: Buffer.from(probeText),
          ChecksumAlgorithm: "SHA256",
          IfNoneMatch: "*",
        });
        await requests.client.send(command, { abortSignal });
      });
    } catch (error) {
      if (!(error instanceof S3Refused)) throw error;
      if (error.failure.status === 412) return true;
      if (error.failure.status === 501 || error.failure.code === "NotImplemented") return false;
      throw requests.asBlobError(request, error);
    }
  }
  // It was put twice, and the second time over the first.
  return false;
}
