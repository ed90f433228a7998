import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { BlobEntry } from "../../ports/blob-store.ts";
import { requireKey } from "../../shared/blob-key.ts";
import { WrongAnswer } from "./s3-failure.ts";
import type { S3Requests } from "./s3-requests.ts";

export interface ListedPlace {
  readonly bucket: string;
  /** Of the store. */
  readonly prefix: string;
  /** Objects of one page. */
  readonly listedAtOnce: number;
}

/** Every object of the store whose key starts with `listed`, page after page. Throws `BlobError`. */
export async function* list(
  requests: S3Requests,
  { bucket, prefix, listedAtOnce }: ListedPlace,
  listed: string,
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
      if (key?.startsWith(listed) === true && Size !== undefined && isKey(key)) yield { key, sizeBytes: Size };
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
