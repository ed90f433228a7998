import { randomBytes } from "node:crypto";
import { createS3BlobStore } from "../../src/adapters/blob-s3/s3-blob-store.ts";
import { createSystemClock } from "../../src/adapters/clock-system.ts";
import { describeBlobStore } from "../conformance/blob-store.ts";

// Any other server, with a bucket that may be written to and credentials as the AWS tools have them:
// TELAMON_TEST_S3_ENDPOINT=https://... TELAMON_TEST_S3_BUCKET=... npm test -- test/s3/other-server
const {
  TELAMON_TEST_S3_ENDPOINT: endpoint,
  TELAMON_TEST_S3_BUCKET: bucket,
  TELAMON_TEST_S3_REGION: region,
} = process.env;
let count = 0;

if (bucket !== undefined)
  for (const [what, limits] of [
    ["objects sent whole", {}],
    ["objects sent in parts", { wholeMaxBytes: 1 }],
  ] as const)
    describeBlobStore(`${endpoint ?? "AWS"}, ${what}`, async () => ({
      blobs: await createS3BlobStore({
        bucket,
        prefix: `telamon-test-${randomBytes(6).toString("hex")}/${(count += 1)}/`,
        endpoint,
        region,
        pathStyle: endpoint !== undefined,
        objectLock: undefined,
        clock: createSystemClock(),
        randomBytes,
        log: { debug() {}, info() {}, warn: (_fields, text) => console.warn(text), error() {} },
        limits,
      }),
      close: async () => undefined,
    }));
