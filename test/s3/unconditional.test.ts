import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { describeBlobStore } from "../conformance/blob-store.ts";
import { type FaultingProxy, type Intercept, startFaultingProxy } from "./faulting-proxy.ts";
import { missingServer, openS3Store, type S3Server, startS3Server } from "./versitygw.ts";
import { describeUnless } from "../support/describe-unless.ts";

const skip = (await missingServer()) ?? false;

/** As servers do that have not built the condition. */
const refuses: Intercept = async ({ method, headers }, _body, outgoing) => {
  if (method !== "PUT" || headers["if-none-match"] === undefined) return false;
  outgoing.writeHead(501, { "content-type": "application/xml" });
  outgoing.end("<Error><Code>NotImplemented</Code><Message>A header is not implemented</Message></Error>");
  return true;
};

/** As servers do that do not look at it: the object is put over another. */
const ignores =
  (server: S3Server): Intercept =>
  async ({ method, headers, url = "" }, body, outgoing) => {
    if (method !== "PUT" || headers["if-none-match"] === undefined) return false;
    const [, bucket = "", ...key] = new URL(url, server.endpoint).pathname.split("/");
    const { ETag = "" } = await server.client.send(
      new PutObjectCommand({ Bucket: bucket, Key: key.join("/"), Body: body }),
    );
    outgoing.writeHead(200, { etag: ETag }).end();
    return true;
  };

describeUnless(skip, "on a server without conditional writes", () => {
  let server: S3Server;
  const ways: FaultingProxy[] = [];
  let count = 0;

  before(async () => {
    server = await startS3Server();
    await server.makeBucket("plain");
    ways.push(await startFaultingProxy(server.endpoint, refuses));
    ways.push(await startFaultingProxy(server.endpoint, ignores(server)));
  });
  after(async () => {
    for (const way of ways) await way.stop();
    await server?.stop();
  });

  for (const [index, what] of ["which refuses the condition", "which does not look at the condition"].entries()) {
    describeBlobStore(`${what}, sent whole`, async () => ({
      blobs: await openS3Store(server, { endpoint: ways[index]?.endpoint, prefix: `store-${(count += 1)}/` }),
      close: async () => undefined,
    }));

    test(`${what}: the log warns, once, and other bytes still never replace an object`, async () => {
      const warnings: string[] = [];
      const log = { debug() {}, info() {}, error() {}, warn: (_fields: object, text: string) => warnings.push(text) };
      const prefix = `store-${(count += 1)}/`;
      const limits = { wholeMaxBytes: 10 };
      const blobs = await openS3Store(server, { endpoint: ways[index]?.endpoint, prefix, log, limits });
      await blobs.put("a", [new Uint8Array(20)]);
      await blobs.put("a", [new Uint8Array(20)]);
      await assert.rejects(blobs.put("a", [new Uint8Array(21)]), { code: "blob_exists" });
      assert.equal((await blobs.get("a")).length, 20);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /two processes must never use this store/);
    });
  }
});
