import { HeadBucketCommand, HeadObjectCommand, type HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { requireTag, WrongAnswer } from "./s3-failure.ts";
import { type Request, S3Refused, type S3Requests } from "./s3-requests.ts";

/** What the server tells of an object; undefined when there is none. Throws `BlobError`. */
export async function head(
  requests: S3Requests,
  bucket: string,
  objectKey: string,
): Promise<HeadObjectCommandOutput | undefined> {
  const request: Request = { operation: "HeadObject", what: objectKey };
  try {
    return await requests.send(request, async (abortSignal) => {
      const answer = await requests.client.send(new HeadObjectCommand({ Bucket: bucket, Key: objectKey }), {
        abortSignal,
      });
      requireTag(answer);
      if (answer.ContentLength === undefined) throw new WrongAnswer("the answer does not tell the object's size");
      return answer;
    });
  } catch (error) {
    if (!(error instanceof S3Refused) || error.failure.status !== 404) throw requests.asBlobError(request, error);
    // An answer to HEAD does not say what is missing, and a missing bucket must not look like an object that is not there.
    await requests.require({ operation: "HeadBucket", what: `the bucket ${bucket}` }, (abortSignal) =>
      requests.client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal }),
    );
    return undefined;
  }
}
